/** `experts simulate --synthetic NAME`: routing made up after published figures, for models too large to run here, and what the planner makes of it. */
import { comparePolicies } from '../../../../gpu/residency/policy/compare.ts';
import { traceStatistics } from '../../../../gpu/residency/policy/statistics.ts';
import { forecast, simulatedCurve, type Forecast } from '../../../../gpu/residency/policy/synthetic/forecast.ts';
import { syntheticTrace } from '../../../../gpu/residency/policy/synthetic/generate.ts';
import { SYNTHETIC_MACHINES, type SyntheticMachine } from '../../../../gpu/residency/policy/synthetic/machines.ts';
import { SYNTHETIC_MODELS, type SyntheticModel } from '../../../../gpu/residency/policy/synthetic/models.ts';
import { UsageError, type CliContext, type OptionSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { textTable } from '../text-table.ts';
import { policyDocument, policyTable, readPolicies, readSlots, statisticsLine } from './experts-policies.ts';

export const SYNTHETIC_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  synthetic: {
    type: 'string',
    value: `all|${Object.keys(SYNTHETIC_MODELS).join('|')}`,
    description: 'instead of a trace: made-up routing with the hit rates that were published for a model',
  },
  machine: {
    type: 'string',
    value: `all|${Object.keys(SYNTHETIC_MACHINES).join('|')}`,
    description: 'with --synthetic: what a computer like that would do (default all)',
  },
  seed: { type: 'string', value: 'S', description: 'with --synthetic: seed of the routing (default 1)' },
};

/** Layers are independent and alike, so a few stand for all. */
const SIMULATED_LAYERS = 4;
const SIMULATED_TOKENS = 1000;
const NOTE =
  'synthetic: routing made up after published hit rates, machines after published rates; a forecast, nothing here was measured';

export async function simulateSynthetic({ flags, result, signal }: CliContext, paths: readonly string[]): Promise<number> {
  if (paths.length > 0) throw new UsageError('--synthetic takes no trace.');
  const models = named(flags.required('synthetic'), 'synthetic', SYNTHETIC_MODELS);
  const machines = named(flags.string('machine') ?? 'all', 'machine', SYNTHETIC_MACHINES);
  const seed = flags.integer('seed', { min: 0, max: 2 ** 32 - 1 }) ?? 1;
  const names = readPolicies(flags.string('policy') ?? 'all');
  const documents: object[] = [];
  const lines = [NOTE];
  for (const model of models) {
    signal.throwIfAborted();
    const size = { model: model.name, nLayers: SIMULATED_LAYERS, nTokens: SIMULATED_TOKENS, seed };
    const trace = syntheticTrace(model.routing, size);
    const slots = readSlots(flags.string('slots') ?? '25%,50%', trace);
    const results = slots.flatMap((nSlots) => comparePolicies(trace, { nSlots, names, prompt: 'warm' }));
    const statistics = traceStatistics(trace);
    const curve = simulatedCurve(trace);
    const forecasts = machines.map((machine) => ({ machine, ...forecast(model, machine, curve) }));
    documents.push({
      ...size,
      source: model.source,
      statistics,
      results: results.map(policyDocument),
      hitCurve: curve,
      forecasts: forecasts.map(({ machine, ...rest }) => ({ machine: machine.name, sources: machine.sources, ...rest })),
    });
    lines.push(
      '',
      `${model.name}: ${trace.nUsed} of ${trace.nExperts} experts; hit rates: ${model.source}`,
      statisticsLine(statistics),
      ...policyTable(results, trace.nExperts, model.nLayers),
      '',
      ...forecastTable(model, forecasts),
    );
  }
  lines.push('', ...machines.map(({ name, sources }) => `${name}: ${sources.join('; ')}`));
  result({ note: NOTE, seed, models: documents }, lines.join('\n'));
  return EXIT.done;
}

function named<T>(text: string, option: string, all: Readonly<Record<string, T>>): T[] {
  if (text === 'all') return Object.values(all);
  return text.split(',').map((name) => {
    if (!Object.hasOwn(all, name))
      throw new UsageError(`--${option} is "${text}", but must be all or some of ${Object.keys(all).join(', ')}.`);
    return all[name];
  });
}

function forecastTable(
  model: SyntheticModel,
  forecasts: readonly ({ readonly machine: SyntheticMachine } & Forecast)[],
): string[] {
  const head = ['machine', 'regime', 'layers', 'hits', 'tokens/s', 'range', 'compute', 'waiting', 'bytes', 'read-backs'];
  const rows = forecasts.map(({ machine, regime, plan, leastBytes }) => {
    if (!plan) return [machine.name, `${regime}: ${gib(leastBytes ?? 0)} needed`, ...head.slice(2).map(() => '-')];
    const { layers, prediction: p } = plan;
    return [
      machine.name,
      regime,
      `${layers.resident}/${layers.slotted}/${layers.streamed}`,
      `${(100 * p.hitRate).toFixed(1)} %`,
      p.tokensPerSecond.toFixed(1),
      `${p.fromTokensPerSecond.toFixed(1)}–${p.toTokensPerSecond.toFixed(1)}`,
      `${p.computeMs.toFixed(1)} ms`,
      `${p.waitMs.toFixed(1)} ms`,
      `${p.transferMs.toFixed(1)} ms`,
      p.readbacksPerToken.toFixed(1),
    ];
  });
  return [`${model.name} (layers: resident/slotted/streamed)`, ...textTable([head, ...rows], 2)];
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
