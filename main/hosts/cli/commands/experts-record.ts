/** `experts MODEL --prompt T`: which experts a text uses, layer by layer; the routing of each token as a trace for cache policies. */
import type { MoeFfnTensors } from '../../../../gpu/architectures/types.ts';
import type { TraceShape } from '../../../../gpu/residency/policy/trace.ts';
import { TraceWriter } from '../../../../gpu/residency/policy/trace-format.ts';
import type { Engine, SamplingSettings } from '../../../../gpu/runtime/types.ts';
import { openEngine } from '../../node/engine.ts';
import { UsageError, type CliContext, type OptionSpec } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { engineOptions } from '../generation.ts';
import { RoutingCounts } from '../routing-counts.ts';
import { openTraceSink, type TraceSink } from '../trace-files.ts';

const GREEDY: SamplingSettings = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };

export const RECORD_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  prompt: { type: 'string', value: 'T', description: 'the text' },
  'max-tokens': { type: 'string', value: 'N', description: 'tokens to continue it with (default 1)' },
  trace: { type: 'string', value: 'FILE', description: "writes each token's experts, for experts simulate" },
};

export async function recordExperts({ flags, common, signal, log, result }: CliContext, modelPath: string): Promise<number> {
  const prompt = flags.required('prompt');
  const maxTokens = flags.integer('max-tokens', { min: 1 }) ?? 1;
  const tracePath = flags.string('trace');
  const opened = await openEngine({ path: modelPath, ...engineOptions(common, signal, log) });
  let sink: TraceSink | undefined;
  try {
    const { engine, model, tokenizer } = opened;
    const moeLayers = model.layers.filter(({ ffn }) => ffn.kind === 'moe');
    if (moeLayers.length === 0) throw new UsageError(`${modelPath} has no experts: it is a dense model.`);
    const { moe } = moeLayers[0].ffn as MoeFfnTensors;
    const ids = tokenizer.encode(prompt, { parseSpecial: true, addSpecial: true });
    if (ids.length === 0) throw new UsageError('--prompt has no tokens.');
    const shape: TraceShape = {
      model: model.name,
      layers: moeLayers.map(({ index }) => index),
      nExperts: moe.nExperts,
      nUsed: common.expertsUsed ?? moe.nExpertsUsed,
    };
    const counts = new RoutingCounts(moeLayers.length, shape.nExperts, shape.nUsed);
    sink = tracePath === undefined ? undefined : await openTraceSink(tracePath);
    const trace = sink && (await TraceWriter.begin(sink, shape));
    await recordRouting(engine, ids, { maxTokens, endIds: tokenizer.endIds, signal, trace, counts });
    await trace?.end();
    report(shape, counts, ids.length, tracePath, result);
    return EXIT.done;
  } finally {
    await sink?.close();
    await opened.close();
  }
}

interface Recording {
  readonly maxTokens: number;
  readonly endIds: ReadonlySet<number>;
  readonly signal: AbortSignal;
  readonly counts: RoutingCounts;
  readonly trace?: TraceWriter;
}

/** Prefills all but the last token, which the first decode step feeds; counts every token that passed the layers. */
async function recordRouting(engine: Engine, ids: ArrayLike<number>, recording: Recording): Promise<void> {
  const { maxTokens, endIds, signal, counts, trace } = recording;
  const prompt: { position: number; experts: number[][] }[] = [];
  await engine.prefill(ids, {
    signal,
    onRouting: ({ startPosition, nTokens, ids: experts }) => {
      counts.add(experts, nTokens).forEach((row, i) => prompt.push({ position: startPosition + i, experts: row }));
    },
  });
  for (const token of prompt) await trace?.token({ ...token, isPrompt: true });
  for await (const { position, routing } of engine.generate({ maxTokens, sampling: GREEDY, endIds, signal, routing: true })) {
    if (!routing) continue;
    const [experts] = counts.add(routing, 1);
    // The record is of the step that sampled this token: it fed the token before.
    await trace?.token({ position: position - 1, isPrompt: false, experts });
  }
}

function report(
  { model, layers, nExperts, nUsed }: TraceShape,
  counts: RoutingCounts,
  promptTokens: number,
  trace: string | undefined,
  result: CliContext['result'],
): void {
  const byLayer = counts.layers();
  const evenEntropyBits = Math.log2(nExperts);
  result(
    {
      model,
      layers,
      nExperts,
      nExpertsUsed: nUsed,
      promptTokens,
      tokens: counts.tokens,
      counts: byLayer.map((layer) => layer.counts),
      entropyBits: byLayer.map((layer) => layer.entropyBits),
      evenEntropyBits,
      unused: byLayer.map((layer) => layer.unused),
      ...(trace === undefined ? {} : { trace }),
    },
    [
      `${counts.tokens} tokens, ${nUsed} of ${nExperts} experts each (entropy of even use: ${evenEntropyBits.toFixed(2)} bits)`,
      ...byLayer.map(({ counts: used, entropyBits, unused }, i) => {
        return `layer ${layers[i]}: ${entropyBits.toFixed(2)} bits, ${unused} unused; ${used.join(' ')}`;
      }),
    ].join('\n'),
  );
}
