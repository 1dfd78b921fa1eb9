/** `experts simulate TRACE…`: hits and misses of recorded routing under each cache policy, and how far that is from Belady's. */
import { comparePolicies, POLICY_NAMES } from '../../../../gpu/residency/policy/compare.ts';
import type { PromptRole } from '../../../../gpu/residency/policy/simulate.ts';
import { traceStatistics } from '../../../../gpu/residency/policy/statistics.ts';
import { concatTraces, sameShape, shuffleTokens, type RoutingTrace } from '../../../../gpu/residency/policy/trace.ts';
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
