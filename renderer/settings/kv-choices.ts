/** The number types of keys and values, as people choose among them: fewest bytes first. */
import { KV_NUMBER_BYTES, type EngineStatus, type KvType } from '../../main/contract/types.ts';
import { formatBytes } from '../state/format.ts';

type Plan = NonNullable<Extract<EngineStatus, { state: 'ready' }>['plan']>;
/** What the choice needs of the plan by which the model is loaded. */
export type KvPlan = Pick<Plan, 'contextTokens' | 'kvType'> & { readonly gpu: Pick<Plan['gpu'], 'kvBytes'> };

const LABELS: Readonly<Record<KvType, string>> = { q8_0: '8-bit', f16: '16-bit', f32: '32-bit' };
const TYPES: readonly KvType[] = ['q8_0', 'f16', 'f32'];

/** `detail`: memory for 1,000 tokens of the loaded model; absent where no plan tells. */
export function kvChoices(plan: KvPlan | null) {
  return TYPES.map((value) => ({
    value,
    label: LABELS[value],
    detail: plan ? formatBytes(bytesPer1000Tokens(plan, value)) : undefined,
  }));
}

function bytesPer1000Tokens({ gpu, contextTokens, kvType }: KvPlan, type: KvType): number {
  return ((gpu.kvBytes * 1000) / contextTokens) * (KV_NUMBER_BYTES[type] / KV_NUMBER_BYTES[kvType]);
}
