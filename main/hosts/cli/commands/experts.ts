/** `experts MODEL --prompt T`: which experts a text uses, layer by layer; the routing of each token as a trace for cache policies. */
import { writeFile } from 'node:fs/promises';
import type { MoeFfnTensors } from '../../../../gpu/architectures/types.ts';
import type { Engine, SamplingSettings } from '../../../../gpu/runtime/types.ts';
import { openEngine } from '../../node/engine.ts';
import { UsageError, type CliCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { engineOptions } from '../generation.ts';
import { RoutingCounts } from '../routing-counts.ts';

const GREEDY: SamplingSettings = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };

/** A line of the trace: one token's expert ids, [MoE layers][K] by rank. */
interface TraceRow {
  readonly position: number;
  readonly phase: 'prefill' | 'decode';
  readonly experts: readonly (readonly number[])[];
}

export const command: CliCommand = {
  name: 'experts',
  usage: 'MODEL --prompt T [--max-tokens N] [--trace FILE] [--json]',
  summary: 'Counts how often each expert of each layer is used for a text and its continuation.',
  options: {
    prompt: { type: 'string', value: 'T', description: 'the text' },
    'max-tokens': { type: 'string', value: 'N', description: 'tokens to continue it with (default 1)' },
    trace: {
      type: 'string',
      value: 'FILE',
      description: "each token's experts as JSON lines, after one line that describes them",
    },
  },
  positionals: [1, 1],
  async run({ positionals, flags, common, signal, log, result }) {
    const prompt = flags.required('prompt');
    const maxTokens = flags.integer('max-tokens', { min: 1 }) ?? 1;
    const trace = flags.string('trace');
    const opened = await openEngine({ path: positionals[0], ...engineOptions(common, signal, log) });
    try {
      const { engine, model, tokenizer } = opened;
      const moeLayers = model.layers.filter(({ ffn }) => ffn.kind === 'moe');
      if (moeLayers.length === 0) throw new UsageError(`${positionals[0]} has no experts: it is a dense model.`);
      const { moe } = moeLayers[0].ffn as MoeFfnTensors;
      const nUsed = common.expertsUsed ?? moe.nExpertsUsed;
      const ids = tokenizer.encode(prompt, { parseSpecial: true, addSpecial: true });
      if (ids.length === 0) throw new UsageError('--prompt has no tokens.');
      const counts = new RoutingCounts(moeLayers.length, moe.nExperts, nUsed);
      const rows = await recordRouting(engine, ids, { maxTokens, endIds: tokenizer.endIds, signal }, counts);
      const description = {
        model: model.name,
        layers: moeLayers.map(({ index }) => index),
        nExperts: moe.nExperts,
        nExpertsUsed: nUsed,
        promptTokens: ids.length,
        tokens: counts.tokens,
      };
      if (trace !== undefined) await writeTrace(trace, [description, ...rows]);
      const layers = counts.layers();
      result(
        {
          ...description,
          counts: layers.map((layer) => layer.counts),
          entropyBits: layers.map((layer) => layer.entropyBits),
          evenEntropyBits: Math.log2(moe.nExperts),
          unused: layers.map((layer) => layer.unused),
          ...(trace === undefined ? {} : { trace }),
        },
        [
          `${counts.tokens} tokens, ${nUsed} of ${moe.nExperts} experts each (entropy of even use: ${Math.log2(moe.nExperts).toFixed(2)} bits)`,
          ...layers.map(({ counts: used, entropyBits, unused }, i) => {
            return `layer ${moeLayers[i].index}: ${entropyBits.toFixed(2)} bits, ${unused} unused; ${used.join(' ')}`;
          }),
        ].join('\n'),
      );
      return EXIT.done;
    } finally {
      await opened.close();
    }
  },
};

interface Continuation {
  readonly maxTokens: number;
  readonly endIds: ReadonlySet<number>;
  readonly signal: AbortSignal;
}

/** Prefills all but the last token, which the first decode step feeds; counts every token that passed the layers. */
async function recordRouting(
  engine: Engine,
  ids: ArrayLike<number>,
  { maxTokens, endIds, signal }: Continuation,
  counts: RoutingCounts,
): Promise<TraceRow[]> {
  const rows: TraceRow[] = [];
  await engine.prefill(ids, {
    signal,
    onRouting: ({ startPosition, nTokens, ids: experts }) => {
      counts
        .add(experts, nTokens)
        .forEach((row, i) => rows.push({ position: startPosition + i, phase: 'prefill', experts: row }));
    },
  });
  for await (const { position, routing } of engine.generate({ maxTokens, sampling: GREEDY, endIds, signal, routing: true })) {
    // The record is of the step that sampled this token: it fed the token before.
    if (routing) rows.push({ position: position - 1, phase: 'decode', experts: counts.add(routing, 1)[0] });
  }
  return rows;
}

async function writeTrace(path: string, lines: readonly object[]): Promise<void> {
  try {
    await writeFile(path, lines.map((line) => JSON.stringify(line) + '\n').join(''));
  } catch (error) {
    throw new UsageError(`--trace ${path} cannot be written: ${(error as Error).message}.`);
  }
}
