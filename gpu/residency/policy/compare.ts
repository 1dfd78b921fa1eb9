/** Policies side by side on one trace, with Belady as the bar: how many more misses, how many points of hit rate behind. Pure. */
import { ONLINE_POLICIES, type OnlinePolicyName } from './policies.ts';
import {
  OFFLINE_POLICY_NAMES,
  simulate,
  type OfflinePolicyName,
  type PromptRole,
  type Simulation,
  type StartingSlots,
} from './simulate.ts';
import type { RoutingTrace } from './trace.ts';

export type PolicyName = OnlinePolicyName | OfflinePolicyName;
export const POLICY_NAMES: readonly PolicyName[] = [
  ...(Object.keys(ONLINE_POLICIES) as OnlinePolicyName[]),
  ...OFFLINE_POLICY_NAMES,
];

export interface PolicyResult {
  readonly policy: PolicyName;
  readonly nSlots: number;
  readonly simulation: Simulation;
  /** Misses ÷ Belady's; 1 when neither misses. */
  readonly missesOverBelady: number;
  /** Percentage points of hit rate behind Belady. */
  readonly pointsBehind: number;
}

export interface Comparison {
  readonly nSlots: number;
  readonly names: readonly PolicyName[];
  readonly prompt: PromptRole;
  readonly start?: StartingSlots;
}

/** Belady is always simulated; it is listed when named. */
export function comparePolicies(trace: RoutingTrace, { nSlots, names, prompt, start }: Comparison): PolicyResult[] {
  const options = { nSlots, prompt, start };
  const best = simulate(trace, { ...options, policy: 'belady' });
  return names.map((policy) => {
    const chosen = policy in ONLINE_POLICIES ? ONLINE_POLICIES[policy as OnlinePolicyName] : (policy as OfflinePolicyName);
    const simulation = policy === 'belady' ? best : simulate(trace, { ...options, policy: chosen });
    return { policy, nSlots, simulation, ...againstBelady(simulation, best) };
  });
}

export function againstBelady(one: Simulation, best: Simulation): Pick<PolicyResult, 'missesOverBelady' | 'pointsBehind'> {
  return {
    missesOverBelady: best.misses > 0 ? one.misses / best.misses : 1,
    pointsBehind: 100 * (best.hitRate - one.hitRate),
  };
}
