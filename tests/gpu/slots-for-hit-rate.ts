/**
 * Slots with which recorded routing hits as often as is wanted: the default policy replays it with every number of slots, layer by layer, and layers
 * get one slot more, one after another, until the rate is there.
 */
import type { MoeSpec } from '../../gpu/architectures/types.ts';
import { fetchMissing } from '../../gpu/residency/policy/fetch-missing.ts';
import { defaultPolicy } from '../../gpu/residency/policy/policies.ts';
import type { LayerResidency } from '../../gpu/residency/types.ts';

/** `answers`: routing `[MoE layers, K]` of each token, answers one after another through the same slots; the first `nWarm` tokens of each do not count. */
export function slotsForHitRate(
  layers: readonly Pick<MoeSpec, 'nExperts' | 'nExpertsUsed'>[],
  answers: readonly (readonly Uint16Array[])[],
  nWarm: number,
  hitRate: number,
): LayerResidency[] {
  const nUsed = layers[0].nExpertsUsed;
  const slots = layers.map(({ nExpertsUsed }) => nExpertsUsed);
  const missesOf = (layer: number) => {
    const { nExperts } = layers[layer];
    const policy = defaultPolicy({ nExperts, nSlots: slots[layer], nUsed });
    const resident = new Set<number>();
    let misses = 0;
    for (const routing of answers) {
      routing.forEach((ids, token) => {
        const experts = ids.subarray(layer * nUsed, (layer + 1) * nUsed);
        const missed = fetchMissing(policy, resident, experts, slots[layer]);
        if (token >= nWarm) misses += missed;
        policy.used(experts);
      });
    }
    return misses;
  };
  const misses = layers.map((_, layer) => missesOf(layer));
  const nCounted = answers.reduce((sum, routing) => sum + routing.length - nWarm, 0);
  const allowed = (1 - hitRate) * nCounted * nUsed * layers.length;
  const total = () => misses.reduce((sum, count) => sum + count, 0);
  for (let layer = 0; total() > allowed; layer = (layer + 1) % layers.length) {
    if (slots[layer] === layers[layer].nExperts) continue;
    slots[layer]++;
    misses[layer] = missesOf(layer);
  }
  return slots.map((nSlots, layer) => (nSlots === layers[layer].nExperts ? { kind: 'resident' } : { kind: 'slotted', nSlots }));
}
