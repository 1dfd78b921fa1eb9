/** What to try when the GPU has no room for a plan: the same with fewer slots. Pure. */
import type { ModelSpec } from '../architectures/types.ts';
import { alignUp } from '../device/usage.ts';
import { stagedParts } from './cache/expert-store.ts';
import type { LayerResidency, ResidencyPlan } from './types.ts';

const KEPT_SHARE = 0.75;
/** Staging for so many experts and the scratch, where the plan has none because all was resident. */
const LEAST_STAGED_EXPERTS = 4;

/** Every layer with a quarter of its slots less, those that would fall below K streamed; null: nothing is left to give up. */
export function fewerSlots(plan: ResidencyPlan, model: ModelSpec, expertsUsed: readonly number[]): ResidencyPlan | null {
  const moe = model.layers.flatMap(({ index, ffn }) => (ffn.kind === 'moe' ? [{ ffn, nUsed: expertsUsed[index] }] : []));
  if (plan.layers.every(({ kind }) => kind === 'streamed')) return null;
  const layers = plan.layers.map((layer, i): LayerResidency => {
    if (layer.kind === 'streamed') return layer;
    const { ffn, nUsed } = moe[i];
    const nSlots = Math.floor((layer.kind === 'slotted' ? layer.nSlots : ffn.moe.nExperts) * KEPT_SHARE);
    return nSlots >= nUsed ? { kind: 'slotted', nSlots } : { kind: 'streamed' };
  });
  const expertBytes = Math.max(...moe.map(({ ffn }) => alignUp(stagedParts({ ffn, expert: 0 }).sizeBytes, 4096)));
  return { ...plan, layers, stagingBytes: Math.max(plan.stagingBytes, (LEAST_STAGED_EXPERTS + 1) * expertBytes) };
}
