/**
 * The policy A0: it is told how often each expert will be used in all, and the rarest leaves. Where tokens have nothing to do with one another
 * no policy without foresight does better (Aho, Denning and Ullman, Journal of the ACM 18(1), 1971): the bar for what can be learned.
 */
import type { CachePolicyFactory } from '../types.ts';
import { leastScored } from './least-scored.ts';

/** `requests` is what the layer will be asked, in any order. */
export function knownFrequencies(requests: Iterable<number>): CachePolicyFactory {
  return ({ nExperts }) => {
    const uses = new Float64Array(nExperts);
    for (const expert of requests) uses[expert]++;
    return { used() {}, warm() {}, victim: (resident, keep) => leastScored(resident, keep, (expert) => uses[expert]) };
  };
}
