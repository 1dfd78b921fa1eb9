/** What the simulations of `experts` share: which policies, how many slots, and results as lines and as plain data. */
import { POLICY_NAMES, type PolicyName, type PolicyResult } from '../../../../gpu/residency/policy/compare.ts';
import type { TraceStatistics } from '../../../../gpu/residency/policy/statistics.ts';
import { UsageError } from '../command.ts';
import { percent, textTable } from '../text-table.ts';

export function readPolicies(text: string): readonly PolicyName[] {
  if (text === 'all') return POLICY_NAMES;
  return text.split(',').map((part) => {
    const found = POLICY_NAMES.find((name) => name === part.trim());
    if (!found) throw new UsageError(`--policy is "${text}", but must be all or some of ${POLICY_NAMES.join(', ')}.`);
    return found;
  });
}

/** `25%` of the experts (rounded, at least K) or a number from K to E. */
export function readSlots(text: string, { nUsed, nExperts }: { readonly nUsed: number; readonly nExperts: number }): number[] {
  const slots = text.split(',').map((part) => {
    const match = /^(\d+(?:[.]\d+)?)(%?)$/.exec(part.trim());
    const value = match ? Number(match[1]) : NaN;
    const nSlots = match?.[2] === '%' ? Math.max(nUsed, Math.round((value / 100) * nExperts)) : value;
    if (!Number.isInteger(nSlots) || nSlots < nUsed || nSlots > nExperts)
      throw new UsageError(`--slots has "${part}", but must be a number from ${nUsed} to ${nExperts} or a share such as 25%.`);
    return nSlots;
  });
  return [...new Set(slots)];
}

export function statisticsLine({ reuseNextToken, reuseWithin8, topTenthShare, topQuarterShare }: TraceStatistics): string {
  return (
    `used again at the next token: ${percent(reuseNextToken)}, within 8: ${percent(reuseWithin8)}; ` +
    `the most used tenth of the experts takes ${percent(topTenthShare)} of the uses, the quarter ${percent(topQuarterShare)}`
  );
}

/** Results of all `nLayers` layers, or of some that stand for them. */
export function policyTable(results: readonly PolicyResult[], nExperts: number, nLayers: number): string[] {
  const rows = results.map(({ policy, nSlots, simulation, missesOverBelady, pointsBehind }) => [
    `${nSlots} (${percent(nSlots / nExperts)})`,
    policy,
    percent(simulation.hitRate),
    String(simulation.misses),
    missesOverBelady.toFixed(2),
    pointsBehind.toFixed(1),
    ((simulation.misses / Math.max(1, simulation.nTokens)) * (nLayers / simulation.layers.length)).toFixed(2),
  ]);
  const head = ['slots', 'policy', 'hits', 'misses', '÷ Belady', 'points behind', 'misses/token'];
  return textTable([head, ...rows], 2);
}

export function policyDocument({ policy, nSlots, simulation, missesOverBelady, pointsBehind }: PolicyResult) {
  const { hits, misses, hitRate, nTokens, layers } = simulation;
  return { policy, nSlots, nTokens, hits, misses, hitRate, missesOverBelady, pointsBehind, layers };
}
