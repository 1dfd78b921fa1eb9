/** Least recently used: the expert whose last use is longest ago leaves. Ties, and experts never used, go by the lower id. */
import type { CacheLayer, CachePolicy } from '../types.ts';
import { leastScored } from './least-scored.ts';

export function lru({ nExperts }: CacheLayer): CachePolicy {
  const lastUse = new Float64Array(nExperts);
  const warmth = new Float64Array(nExperts); // in [0, 1): orders only experts not used since the start
  let token = 0;
  return {
    used(experts) {
      token++;
      for (let rank = 0; rank < experts.length; rank++) lastUse[experts[rank]] = token;
    },
    victim: (resident, keep) => leastScored(resident, keep, (expert) => (lastUse[expert] > 0 ? lastUse[expert] : warmth[expert])),
    warm(counts) {
      const most = maxOf(counts);
      for (let expert = 0; expert < nExperts; expert++) warmth[expert] = most > 0 ? counts[expert] / (most + 1) : 0;
    },
  };
}

function maxOf(counts: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < counts.length; i++) most = Math.max(most, counts[i]);
  return most;
}
