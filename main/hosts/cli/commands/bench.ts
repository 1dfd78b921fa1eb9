/**
 * `bench MODEL`: what a token costs. Counts (dispatches, read-backs, weight bytes, memory) are exact and the same in every run; times are
 * medians over the repeats, after a run that is not counted (drivers compile on first use).
 */
import type { Engine, EngineCounters } from '../../../../gpu/runtime/types.ts';
import type { ResidencyCounters } from '../../../../gpu/residency/types.ts';
import { routingAgreement } from '../../../contract/approximate-routing.ts';
import { openEngine } from '../../node/engine.ts';
import { besidePrediction, predictionText } from '../bench-prediction.ts';
import type { CliCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { approximateText, engineOptions } from '../generation.ts';

const GREEDY = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };
const WARM_UP_TOKENS = 4;

export const command: CliCommand = {
  name: 'bench',
  usage: 'MODEL [--prompt-tokens N --new-tokens N --repeat R --tokens-in-flight D --json]',
  summary: 'Measures prefill and decode, and counts what a token costs.',
  options: {
    'prompt-tokens': { type: 'string', value: 'N', description: 'tokens of the prompt (default 128)' },
    'new-tokens': { type: 'string', value: 'N', description: 'tokens to generate (default 32)' },
    repeat: { type: 'string', value: 'R', description: 'runs to take the median of (default 3)' },
    'tokens-in-flight': { type: 'string', value: 'D', description: 'steps per submission, 1 to 4 (default: by the adapter)' },
  },
  positionals: [1, 1],
  async run(context) {
    const { flags, common, signal, log } = context;
    const promptTokens = flags.integer('prompt-tokens', { min: 1 }) ?? 128;
    const newTokens = flags.integer('new-tokens', { min: 1 }) ?? 32;
    const repeat = flags.integer('repeat', { min: 1, max: 100 }) ?? 3;
    const tokensInFlight = flags.integer('tokens-in-flight', { min: 1, max: 4 });
    const contextTokens = common.contextTokens ?? promptTokens + newTokens;
    const options = { ...engineOptions(common, signal, log), contextTokens, promptTokens, tokensInFlight, measure: true };
    const opened = await openEngine({ path: context.positionals[0], ...options });
    try {
      const { engine, model, device, plan, loadMs } = opened;
      const prompt = promptIds(promptTokens, model.vocabularySize);
      await measure(engine, prompt.slice(0, WARM_UP_TOKENS), Math.min(WARM_UP_TOKENS, newTokens));
      const runs: BenchRun[] = [];
      for (let i = 0; i < repeat && !signal.aborted; i++) {
        runs.push(await measure(engine, prompt, newTokens));
        log(`Run ${i + 1} of ${repeat}: ${rate(runs[i].decode.tokens, runs[i].decode.elapsedMs).toFixed(2)} tokens/s`);
      }
      const { description, software } = device.capabilities;
      const summary = summarise(runs);
      const { peakBytes } = engine.memory();
      const fileBytes = model.file.sizeBytes;
      const memory = { peakMemoryBytes: peakBytes, fileBytes, peakMemoryOverFileSize: peakBytes / fileBytes };
      const shape = { promptTokens, newTokens, repeat: runs.length, contextTokens };
      const residency = engine.residency();
      const prediction = besidePrediction(plan, engine.memory(), residency, summary);
      const document = {
        adapter: { description, software },
        approximateRouting: common.approximateRouting ?? null,
        ...shape,
        loadMs,
        ...summary,
        ...memory,
        ledger: engine.memory(),
        residency,
        plan,
        prediction,
      };
      const texts = [
        asText(description, summary, memory.peakMemoryOverFileSize),
        ...(common.approximateRouting === undefined
          ? []
          : [approximateText(common.approximateRouting, summary.routingAgreement)]),
        predictionText(prediction),
      ];
      context.result(document, texts.join('\n\n'));
      return EXIT.done;
    } finally {
      await opened.close();
    }
  },
};

/** What one run cost: the difference of the engine's counters around its prefill and around its decode. */
export interface BenchRun {
  readonly prefill: { readonly tokens: number; readonly elapsedMs: number };
  /** Expert uses of decode by where the expert was; all hits where every expert has a slot. */
  readonly experts: {
    readonly hits: number;
    readonly missesFromRam: number;
    readonly missesFromDisk: number;
    readonly substitutes: number;
    readonly resumes: number;
  };
  readonly decode: {
    readonly tokens: number;
    readonly elapsedMs: number;
    readonly encodeMs: number;
    readonly dispatches: number;
    readonly readbacks: number;
    readonly readbackBytes: number;
    readonly weightBytesTouched: number;
    readonly weightBytesRequired: number;
  };
}

async function measure(engine: Engine, prompt: Uint32Array, newTokens: number): Promise<BenchRun> {
  engine.truncate(0);
  const start = engine.counters();
  const startMs = performance.now();
  await engine.prefill(prompt);
  const prefilledMs = performance.now();
  const prefilled = engine.counters();
  const residencyBefore = engine.residency();
  const generating = engine.generate({ maxTokens: newTokens, sampling: GREEDY, endIds: new Set() });
  while (!(await generating.next()).done); // ids do not matter here
  const endMs = performance.now();
  const end = engine.counters();
  const since = (key: keyof EngineCounters) => end[key] - prefilled[key];
  const residencyAfter = engine.residency();
  const experts = (key: keyof ResidencyCounters) => residencyAfter[key] - residencyBefore[key];
  return {
    prefill: { tokens: prefilled.prefillTokens - start.prefillTokens, elapsedMs: prefilledMs - startMs },
    experts: {
      hits: experts('hits'),
      missesFromRam: experts('missesFromRam'),
      missesFromDisk: experts('missesFromDisk'),
      substitutes: experts('substitutes'),
      resumes: experts('resumes'),
    },
    decode: {
      tokens: since('decodeTokens'),
      elapsedMs: endMs - prefilledMs,
      encodeMs: since('encodeMs'),
      dispatches: since('decodeDispatches'),
      readbacks: since('decodeReadbacks'),
      readbackBytes: since('readbackBytes'),
      weightBytesTouched: since('weightBytesTouched'),
      weightBytesRequired: since('weightBytesRequired'),
    },
  };
}

/** Per token, medians of the runs. */
export function summarise(runs: readonly BenchRun[]) {
  const perToken = (key: keyof BenchRun['decode']) => median(runs.map(({ decode }) => decode[key] / decode.tokens));
  const touched = perToken('weightBytesTouched');
  const required = perToken('weightBytesRequired');
  const uses = (run: BenchRun) => run.experts.hits + run.experts.missesFromRam + run.experts.missesFromDisk;
  return {
    expertHitRate: median(runs.map((run) => (uses(run) === 0 ? 1 : run.experts.hits / uses(run)))),
    routingAgreement: median(runs.map((run) => routingAgreement(run.experts) ?? 1)),
    expertMissesFromRamPerToken: median(runs.map(({ experts, decode }) => experts.missesFromRam / decode.tokens)),
    expertMissesFromDiskPerToken: median(runs.map(({ experts, decode }) => experts.missesFromDisk / decode.tokens)),
    resumesPerToken: median(runs.map(({ experts, decode }) => experts.resumes / decode.tokens)),
    dispatchesPerToken: perToken('dispatches'),
    readbacksPerToken: perToken('readbacks'),
    readbackBytesPerToken: perToken('readbackBytes'),
    weightBytesTouchedPerToken: touched,
    weightBytesRequiredPerToken: required,
    weightBytesTouchedOverRequired: touched / required,
    encodeMsPerToken: perToken('encodeMs'),
    decodeMsPerToken: perToken('elapsedMs'),
    decodeTokensPerSecond: median(runs.map(({ decode }) => rate(decode.tokens, decode.elapsedMs))),
    prefillTokensPerSecond: median(runs.map(({ prefill }) => rate(prefill.tokens, prefill.elapsedMs))),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function rate(tokens: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (tokens * 1000) / elapsedMs : 0;
}

/** Spread over the vocabulary, the same in every run. */
export function promptIds(n: number, vocabularySize: number): Uint32Array {
  return Uint32Array.from({ length: n }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 0) % vocabularySize);
}

function asText(adapter: string, summary: ReturnType<typeof summarise>, peakOverFile: number): string {
  return [
    `adapter                     ${adapter}`,
    `decode                      ${summary.decodeTokensPerSecond.toFixed(2)} tokens/s at a hit rate of ${(100 * summary.expertHitRate).toFixed(1)} %`,
    `prefill                     ${summary.prefillTokensPerSecond.toFixed(2)} tokens/s`,
    `dispatches per token        ${summary.dispatchesPerToken.toFixed(2)}`,
    `read-backs per token        ${summary.readbacksPerToken.toFixed(2)} (${summary.readbackBytesPerToken.toFixed(1)} bytes)`,
    `weight bytes per token      ${Math.round(summary.weightBytesTouchedPerToken)}, ${summary.weightBytesTouchedOverRequired.toFixed(5)} of what must be touched`,
    `encoding per token          ${summary.encodeMsPerToken.toFixed(3)} ms`,
    `peak memory over file size  ${peakOverFile.toFixed(3)}`,
  ].join('\n');
}
