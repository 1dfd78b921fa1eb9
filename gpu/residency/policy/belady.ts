/**
 * Belady's MIN: the expert whose next use is farthest away leaves (L. A. Belady, IBM Systems Journal 5(2), 1966). It knows the future, so it
 * serves only as the bar in simulations: no policy that must hold every demanded expert misses less.
 */
import { invariant } from '../../invariant.ts';
import type { CachePolicy, CachePolicyFactory } from '../types.ts';
import { leastScored } from './least-scored.ts';

/** `requests` is what the layer will be asked, `[T, K]` expert ids; `used` must then be called with exactly these, in order. */
export function belady(requests: ArrayLike<number>): CachePolicyFactory {
  return ({ nExperts, nUsed }) => {
    invariant(requests.length % nUsed === 0, 'requests are whole tokens');
    const nextUse = nextUses(requests, nExperts, nUsed);
    /** Token of each expert's next use, as of now. */
    const next = firstUses(requests, nExperts, nUsed);
    let token = 0;
    const policy: CachePolicy = {
      used(experts) {
        invariant(experts.length === nUsed && token * nUsed < requests.length, 'Belady is given more tokens than it was told');
        for (let rank = 0; rank < nUsed; rank++) {
          const at = token * nUsed + rank;
          invariant(experts[rank] === requests[at], 'Belady is given another token than it was told');
          next[experts[rank]] = nextUse[at];
        }
        token++;
      },
      victim: (resident, keep) => leastScored(resident, keep, (expert) => -next[expert]),
      warm() {}, // it knows better
    };
    return policy;
  };
}

/** For each request, the token of the same expert's next one; Infinity when there is none. */
function nextUses(requests: ArrayLike<number>, nExperts: number, nUsed: number): Float64Array {
  const out = new Float64Array(requests.length);
  const upcoming = new Float64Array(nExperts).fill(Infinity);
  for (let i = requests.length - 1; i >= 0; i--) {
    out[i] = upcoming[requests[i]];
    upcoming[requests[i]] = Math.floor(i / nUsed);
  }
  return out;
}

function firstUses(requests: ArrayLike<number>, nExperts: number, nUsed: number): Float64Array {
  const first = new Float64Array(nExperts).fill(Infinity);
  for (let i = requests.length - 1; i >= 0; i--) first[requests[i]] = Math.floor(i / nUsed);
  return first;
}
