/** Residency plans and cache policies for tests. */
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import type { CachePolicyFactory, LayerResidency, ResidencyPlan } from '../../gpu/residency/types.ts';
import { drawU32 } from '../../gpu/reference/ops/random.ts';

export const STREAMED: LayerResidency = { kind: 'streamed' };
export const RESIDENT: LayerResidency = { kind: 'resident' };
export const slotted = (nSlots: number): LayerResidency => ({ kind: 'slotted', nSlots });

/** The layers take turns with `kinds`. */
export function planOf(model: ModelSpec, kinds: readonly LayerResidency[], more: Partial<ResidencyPlan> = {}): ResidencyPlan {
  const moe = model.layers.filter(({ ffn }) => ffn.kind === 'moe');
  return { layers: moe.map((_, i) => kinds[i % kinds.length]), ramPoolBytes: 0, stagingBytes: 2 ** 20, ...more };
}

/** Evicts anybody who may go, by seed. */
export function hostile(seed: number): CachePolicyFactory {
  let draws = 0;
  return () => ({
    used() {},
    victim(resident, keep) {
      const candidates = [...resident].filter((expert) => !keep.has(expert));
      return candidates[drawU32(seed, draws++) % candidates.length];
    },
    warm() {},
  });
}
