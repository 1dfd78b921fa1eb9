/** `experts simulate TRACE…`: hits and misses of recorded routing under each cache policy, and how far that is from Belady's. */
import { comparePolicies, POLICY_NAMES, type PolicyName, type PolicyResult } from '../../../../gpu/residency/policy/compare.ts';
import type { PromptRole } from '../../../../gpu/residency/policy/simulate.ts';
import { traceStatistics, type TraceStatistics } from '../../../../gpu/residency/policy/statistics.ts';
import { concatTraces, sameShape, type RoutingTrace } from '../../../../gpu/residency/policy/trace.ts';
import { UsageError, type CliContext, type OptionSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { percent, textTable } from '../text-table.ts';
import { readTrace } from '../trace-files.ts';

export const SIMULATE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  slots: {
    type: 'string',
    value: 'LIST',
    description: 'slots per layer, as 8 or 25%, several with commas (default 25%,40%,50%)',
  },
  policy: {
    type: 'string',
    value: `all|${POLICY_NAMES.join('|')}`,
    description: 'which cache policies, several with commas (default all)',
  },
  'demand-prompt': {
    type: 'boolean',
    description: "prompt tokens ask for experts like an answer's (default: they only tell the policy their counts)",
  },
};

export async function simulateExperts({ flags, result }: CliContext, paths: readonly string[]): Promise<number> {
  if (paths.length === 0)
    throw new UsageError('experts simulate needs a trace: record one with experts MODEL --prompt T --trace FILE.');
  const names = readPolicies(flags.string('policy') ?? 'all');
  const prompt: PromptRole = flags.boolean('demand-prompt') ? 'demand' : 'warm';
  const trace = await readTraces(paths);
  const slots = readSlots(flags.string('slots') ?? '25%,40%,50%', trace);
  const results = slots.flatMap((nSlots) => comparePolicies(trace, { nSlots, names, prompt }));
  const statistics = traceStatistics(trace);
  const { model, nTokens, layers, nExperts, nUsed, isPrompt } = trace;
  const promptTokens = isPrompt.reduce((sum, mark) => sum + mark, 0);
  result(
    {
      traces: paths,
      model,
      layers,
      nExperts,
      nExpertsUsed: nUsed,
      promptTokens,
      answerTokens: nTokens - promptTokens,
      prompt,
      statistics,
      results: results.map(document),
    },
    [
      `${model}: ${promptTokens} prompt tokens${prompt === 'warm' ? ' (counts only)' : ''}, ${nTokens - promptTokens} answer tokens; ${nUsed} of ${nExperts} experts in ${layers.length} layers`,
      statisticsLine(statistics),
      '',
      ...table(results, nExperts),
    ].join('\n'),
  );
  return EXIT.done;
}

/** All traces, one after another: one model's, or the command line was wrong. */
async function readTraces(paths: readonly string[]): Promise<RoutingTrace> {
  const traces: RoutingTrace[] = [];
  for (const path of paths) {
    const trace = await readTrace(path);
    if (traces.length > 0 && !sameShape(trace, traces[0]))
      throw new UsageError(
        `${path} is of another model (${trace.model}) than ${paths[0]} (${traces[0].model}). Simulate them one by one.`,
      );
    traces.push(trace);
  }
  return concatTraces(traces);
}

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

function statisticsLine({ reuseNextToken, reuseWithin8, topTenthShare, topQuarterShare }: TraceStatistics): string {
  return (
    `used again at the next token: ${percent(reuseNextToken)}, within 8: ${percent(reuseWithin8)}; ` +
    `the most used tenth of the experts takes ${percent(topTenthShare)} of the uses, the quarter ${percent(topQuarterShare)}`
  );
}

function table(results: readonly PolicyResult[], nExperts: number): string[] {
  const rows = results.map(({ policy, nSlots, simulation, missesOverBelady, pointsBehind }) => [
    `${nSlots} (${percent(nSlots / nExperts)})`,
    policy,
    percent(simulation.hitRate),
    String(simulation.misses),
    missesOverBelady.toFixed(2),
    pointsBehind.toFixed(1),
    (simulation.misses / Math.max(1, simulation.nTokens)).toFixed(2),
  ]);
  const head = ['slots', 'policy', 'hits', 'misses', '÷ Belady', 'points behind', 'misses/token'];
  return textTable([head, ...rows], 2);
}

function document({ policy, nSlots, simulation, missesOverBelady, pointsBehind }: PolicyResult) {
  const { hits, misses, hitRate, nTokens, layers } = simulation;
  return { policy, nSlots, nTokens, hits, misses, hitRate, missesOverBelady, pointsBehind, layers };
}
