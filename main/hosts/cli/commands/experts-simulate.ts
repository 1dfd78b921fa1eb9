/** `experts simulate TRACE…`: hits and misses of recorded routing under each cache policy, and how far that is from Belady's. */
import { comparePolicies, POLICY_NAMES } from '../../../../gpu/residency/policy/compare.ts';
import type { PromptRole } from '../../../../gpu/residency/policy/simulate.ts';
import { traceStatistics } from '../../../../gpu/residency/policy/statistics.ts';
import {
  concatTraces,
  sameShape,
  shuffleTokens,
  traceCounts,
  type RoutingTrace,
} from '../../../../gpu/residency/policy/trace.ts';
import { UsageError, type CliContext, type OptionSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { readTrace } from '../trace-files.ts';
import { policyDocument, policyTable, readPolicies, readSlots, statisticsLine } from './experts-policies.ts';
import { simulateSynthetic, SYNTHETIC_OPTIONS } from './experts-synthetic.ts';

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
  warm: {
    type: 'string',
    value: 'TRACE',
    description: 'slots start with the experts that this other trace used most (default: empty)',
  },
  shuffle: {
    type: 'string',
    value: 'SEED',
    description: 'the same tokens in a random order: what a policy could know without their order',
  },
  ...SYNTHETIC_OPTIONS,
};

export async function simulateExperts(context: CliContext, paths: readonly string[]): Promise<number> {
  const { flags, result } = context;
  if (flags.has('synthetic')) return simulateSynthetic(context, paths);
  for (const name of Object.keys(SYNTHETIC_OPTIONS)) if (flags.has(name)) throw new UsageError(`--${name} needs --synthetic.`);
  if (paths.length === 0)
    throw new UsageError('experts simulate needs a trace: record one with experts MODEL --prompt T --trace FILE.');
  const names = readPolicies(flags.string('policy') ?? 'all');
  const prompt: PromptRole = flags.boolean('demand-prompt') ? 'demand' : 'warm';
  const shuffleSeed = flags.integer('shuffle', { min: 0, max: 2 ** 32 - 1 });
  const recorded = await readTraces(paths);
  const trace = shuffleSeed === undefined ? recorded : shuffleTokens(recorded, shuffleSeed);
  const warmPath = flags.string('warm');
  const start = warmPath === undefined ? undefined : traceCounts(await readLike(warmPath, trace));
  const slots = readSlots(flags.string('slots') ?? '25%,40%,50%', trace);
  const results = slots.flatMap((nSlots) => comparePolicies(trace, { nSlots, names, prompt, start }));
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
      ...(warmPath === undefined ? {} : { warm: warmPath }),
      ...(shuffleSeed === undefined ? {} : { shuffleSeed }),
      statistics,
      results: results.map(policyDocument),
    },
    [
      `${model}: ${promptTokens} prompt tokens${prompt === 'warm' ? ' (counts only)' : ''}, ${nTokens - promptTokens} answer tokens; ${nUsed} of ${nExperts} experts in ${layers.length} layers`,
      statisticsLine(statistics),
      '',
      ...policyTable(results, nExperts, layers.length),
    ].join('\n'),
  );
  return EXIT.done;
}

/** All traces, one after another: one model's, or the command line was wrong. */
async function readTraces(paths: readonly string[]): Promise<RoutingTrace> {
  const traces = [await readTrace(paths[0])];
  for (const path of paths.slice(1)) traces.push(await readLike(path, traces[0]));
  return concatTraces(traces);
}

/** A trace of the same model as `other`. */
async function readLike(path: string, other: RoutingTrace): Promise<RoutingTrace> {
  const trace = await readTrace(path);
  if (sameShape(trace, other)) return trace;
  throw new UsageError(
    `${path} is of another model (${trace.model}) than the others (${other.model}). Simulate them one by one.`,
  );
}
