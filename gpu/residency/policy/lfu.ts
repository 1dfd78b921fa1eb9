/** Least frequently used over everything seen, warm counts included; ties leave by longest unused, then by the lower id. */
import type { CacheLayer, CachePolicy } from '../types.ts';
import { leastScored } from './least-scored.ts';

export function lfu({ nExperts }: CacheLayer): CachePolicy {
  const uses = new Float64Array(nExperts);
  const lastUse = new Float64Array(nExperts);
  let token = 0;
  return {
    used(experts) {
      token++;
      for (let rank = 0; rank < experts.length; rank++) {
        uses[experts[rank]]++;
        lastUse[experts[rank]] = token;
      }
    },
    // The last use only decides between equal counts: its term stays below 1.
    victim: (resident, keep) => leastScored(resident, keep, (expert) => uses[expert] + lastUse[expert] / (token + 1)),
    warm(counts) {
      for (let expert = 0; expert < nExperts; expert++) uses[expert] += counts[expert];
    },
  };
}
