/**
 * Belady's MIN: the expert whose next use is farthest away leaves (L. A. Belady, IBM Systems Journal 5(2), 1966). It knows the future, so it
 * serves only as the bar in simulations: no policy that must hold every demanded expert misses less. And the same with foresight of a few tokens,
 * which says how much of the future the bar is worth.
 */
import { invariant } from '../../invariant.ts';
import type { CacheLayer, CachePolicy, CachePolicyFactory } from '../types.ts';
import { leastScored } from './least-scored.ts';

/** `requests` is what the layer will be asked, `[T, K]` expert ids; `used` must then be called with exactly these, in order. */
export function belady(requests: ArrayLike<number>): CachePolicyFactory {
  return (layer) => {
    const future = new Future(requests, layer);
    return {
      used: (experts) => future.used(experts),
      victim: (resident, keep) => leastScored(resident, keep, (expert) => -future.next[expert]),
      warm() {}, // it knows better
    };
  };
}

/** Knows what the `nTokens` tokens after the present one will use; of the experts that none of them does, `otherwise` says who leaves. */
export function foresight(requests: ArrayLike<number>, nTokens: number, otherwise: CachePolicyFactory): CachePolicyFactory {
  return (layer) => {
    const future = new Future(requests, layer);
    const policy = otherwise(layer);
    return {
      used(experts) {
        future.used(experts);
        policy.used(experts);
      },
      victim(resident, keep) {
        const unforeseen = [...resident].filter((expert) => future.next[expert] > future.token + nTokens);
        if (unforeseen.some((expert) => !keep.has(expert))) return policy.victim(unforeseen, keep);
        return leastScored(resident, keep, (expert) => -future.next[expert]);
      },
      warm: (counts) => policy.warm(counts),
    } satisfies CachePolicy;
  };
}

/** What is still to come of a layer's requests. */
class Future {
  /** Token of each expert's next use, the present one's included. */
  readonly next: Float64Array;
  /** The present token: it is about to use its experts. */
  token = 0;
  readonly #requests: ArrayLike<number>;
  readonly #nUsed: number;
  readonly #nextUse: Float64Array;

  constructor(requests: ArrayLike<number>, { nExperts, nUsed }: CacheLayer) {
    invariant(requests.length % nUsed === 0, 'requests are whole tokens');
    this.#requests = requests;
    this.#nUsed = nUsed;
    this.#nextUse = nextUses(requests, nExperts, nUsed);
    this.next = firstUses(requests, nExperts, nUsed);
  }

  used(experts: ArrayLike<number>): void {
    const isToken = experts.length === this.#nUsed && this.token * this.#nUsed < this.#requests.length;
    invariant(isToken, 'Belady is given more tokens than it was told');
    for (let rank = 0; rank < this.#nUsed; rank++) {
      const at = this.token * this.#nUsed + rank;
      invariant(experts[rank] === this.#requests[at], 'Belady is given another token than it was told');
      this.next[experts[rank]] = this.#nextUse[at];
    }
    this.token++;
  }
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
