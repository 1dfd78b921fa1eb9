/** The step that every cache of ids takes for a token: what it lacks comes, what the policy gives up leaves. Pure. */
import { invariant } from '../../invariant.ts';
import type { CachePolicy } from '../types.ts';

/** Makes all of `experts` resident in at most `nSlots`; how many were not. */
export function fetchMissing(policy: CachePolicy, resident: Set<number>, experts: ArrayLike<number>, nSlots: number): number {
  const demand = Array.from(experts);
  const missing = demand.filter((expert) => !resident.has(expert));
  if (missing.length === 0) return 0;
  const keep = new Set(demand);
  for (const expert of missing) {
    if (resident.size >= nSlots) {
      const victim = policy.victim(resident, keep);
      invariant(resident.has(victim) && !keep.has(victim), `the policy gave up expert ${victim}, which it may not`);
      resident.delete(victim);
    }
    resident.add(expert);
  }
  return missing.length;
}
