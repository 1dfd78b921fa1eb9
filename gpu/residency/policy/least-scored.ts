/** The choice that every policy ends in: the lowest score of what may leave, ties to the lower id. */
import { invariant } from '../../invariant.ts';

/** One of `resident` outside `keep`. `residents` may come in any order: the result does not depend on it. */
export function leastScored(resident: Iterable<number>, keep: ReadonlySet<number>, scoreOf: (expert: number) => number): number {
  let [victim, least] = [-1, Infinity];
  for (const expert of resident) {
    if (keep.has(expert)) continue;
    const score = scoreOf(expert);
    if (score < least || (score === least && expert < victim) || victim < 0) [victim, least] = [expert, score];
  }
  invariant(victim >= 0, 'a victim is asked for, but every resident expert is kept');
  return victim;
}
