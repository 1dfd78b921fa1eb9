/**
 * A plan in which slots hold a given share of all expert bytes, whatever a machine's speeds: from a quarter on every layer has as many slots,
 * below it the first layers have a quarter each, as far as the share goes, and the others are streamed.
 */
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import { invariant } from '../../gpu/invariant.ts';
import type { LayerResidency, ResidencyPlan } from '../../gpu/residency/types.ts';

const LEAST_SLOTTED_SHARE = 0.25;

export interface SharePlan {
  readonly plan: ResidencyPlan;
  /** Slots ÷ experts over all layers, rounded down to whole slots. */
  readonly share: number;
}

/** '25%' → 0.25 */
export function shareOf(text: string): number {
  return Number(text.replace('%', '')) / 100;
}

/** `ramShare`: of the expert bytes, those that the RAM pool may hold. */
export function planForShare(model: ModelSpec, share: number, ramShare: number): SharePlan {
  const moe = model.layers.flatMap(({ ffn }) => (ffn.kind === 'moe' ? [ffn] : []));
  invariant(moe.length > 0, 'a share of the experts of a dense model');
  const { nExperts, nExpertsUsed } = moe[0].moe;
  const nSlots = Math.floor(share * nExperts * moe.length + 1e-9);
  const perLayer = Math.max(nExpertsUsed, Math.floor(Math.max(LEAST_SLOTTED_SHARE, share) * nExperts));
  const nSlotted = Math.min(moe.length, Math.floor(nSlots / perLayer));
  const layers = moe.map((_, i): LayerResidency => (i < nSlotted ? { kind: 'slotted', nSlots: perLayer } : { kind: 'streamed' }));
  const expertBytes = moe.map(({ gate, up, down }) => gate[0].sizeBytes + up[0].sizeBytes + down[0].sizeBytes);
  const allBytes = nExperts * expertBytes.reduce((sum, bytes) => sum + bytes, 0);
  return {
    plan: { layers, ramPoolBytes: Math.floor(ramShare * allBytes), stagingBytes: 4 * Math.max(...expertBytes) },
    share: (nSlotted * perLayer) / (nExperts * moe.length),
  };
}
