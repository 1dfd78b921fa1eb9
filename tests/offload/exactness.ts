/**
 * Are greedy ids the same when experts come and go? `node main/hosts/launcher/with-node.mjs tests/offload/exactness.ts [MODEL.gguf] [--shares
 * 10%,25%,50%] [--ram 25%] [--prompts 5] [--first-prompt 0] [--tokens 512] [--minutes M]` with CONCLAVE_ADAPTER. Without MODEL: a generated
 * one of 64 experts, 2 used. Engines take turns of a few tokens; exit code 1 where an id differs, 2 where time ran out before any token.
 */
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readModel } from '../../gpu/architectures/read-model.ts';
import type { GpuDevice } from '../../gpu/device/open-device.ts';
import { memorySource } from '../../gpu/gguf/memory-source.ts';
import { openGguf } from '../../gpu/gguf/read.ts';
import type { GgufFile } from '../../gpu/gguf/types.ts';
import type { ResidencyCounters } from '../../gpu/residency/types.ts';
import { createEngine } from '../../gpu/runtime/engine.ts';
import type { Engine } from '../../gpu/runtime/types.ts';
import { createTokenizer } from '../../gpu/tokenizer/tokenizer.ts';
import { percent, textTable } from '../../main/hosts/cli/text-table.ts';
import { openModelFile } from '../../main/library/model-file.ts';
import { tinyModel } from '../fixtures/tiny-model.ts';
import { openTestDevice } from '../gpu/node-gpu.ts';
import { planForShare, shareOf } from './share-plan.ts';

/** Prose, a question, a list, code and another language: they route differently. */
export const PROMPTS = [
  'The capital of France is Paris. The capital of Italy is',
  'Question: Why does ice float on water? Answer:',
  'Shopping list:\n1. bread\n2. milk\n3.',
  'def add(a, b):\n    return a + b\n\ndef multiply(a, b):\n',
  'Es war einmal ein kleines Haus am Rand des Waldes. Darin wohnte',
];
const GREEDY = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };
const TURN_TOKENS = 16;
/** Misses then come from RAM and from the file. */
const RAM_SHARE = 0.25;
const PROGRESS_TOKENS = 128;
const GENERATED_SEED = 29;

export interface ExactnessOptions {
  readonly shares: readonly number[];
  /** Of the expert bytes, what the RAM pool may hold. Default a quarter. */
  readonly ramShare?: number;
  readonly prompts: readonly string[];
  readonly tokensPerPrompt: number;
  readonly endMs?: number;
  readonly onProgress?: (line: string) => void;
}

export interface ExactnessRow {
  /** 1: all resident, by which the others are judged. */
  readonly share: number;
  readonly layers: string;
  readonly tokens: number;
  readonly differences: number;
  readonly hitRate: number;
  readonly fromRam: number;
  readonly fromDisk: number;
  readonly readbacksPerToken: number;
  readonly elapsedMs: number;
}

export interface Exactness {
  readonly rows: readonly ExactnessRow[];
  /** Of all ids, how many different ones: few of them would show little. */
  readonly distinctIds: number;
}

interface Runner {
  readonly engine: Engine;
  readonly share: number;
  readonly layers: string;
  tokens: number;
  differences: number;
  elapsedMs: number;
}

/** The generated file of the table: 64 experts, 2 used. */
export function generatedModel(nLayers = 6): Uint8Array<ArrayBuffer> {
  const sizes = {
    nLayers,
    modelWidth: 256,
    nHeads: 8,
    headWidth: 32,
    expertWidth: 128,
    vocabularySize: 2048,
    contextTokens: 1024,
  };
  return tinyModel({ architecture: 'qwen3moe', type: 'Q8_0', seed: GENERATED_SEED, nExperts: 64, nExpertsUsed: 2, ...sizes });
}

export async function measureExactness(gpu: GpuDevice, file: GgufFile, options: ExactnessOptions): Promise<Exactness> {
  const model = readModel(file);
  const tokenizer = createTokenizer(file.metadata);
  const prompts = options.prompts.map((text) => tokenizer.encodePieces([{ text, trusted: false }]));
  const contextTokens = Math.max(...prompts.map(({ length }) => length)) + options.tokensPerPrompt;
  const runners: Runner[] = [];
  const add = async (share: number) => {
    const planned = share === 1 ? undefined : planForShare(model, share, options.ramShare ?? RAM_SHARE);
    const engine = await createEngine(gpu, { model, contextTokens, residency: planned?.plan });
    const streamed = planned?.plan.layers.filter(({ kind }) => kind === 'streamed').length ?? 0;
    const layers = planned ? `${planned.plan.layers.length - streamed} slotted, ${streamed} streamed` : 'all resident';
    runners.push({ engine, share: planned?.share ?? 1, layers, tokens: 0, differences: 0, elapsedMs: 0 });
    options.onProgress?.(`loaded: ${layers}`);
  };
  const distinct = new Set<number>();
  try {
    for (const share of [1, ...options.shares]) await add(share);
    for (const [index, prompt] of prompts.entries()) {
      if (isOver(options)) break;
      for (const { engine } of runners) {
        engine.truncate(0);
        await engine.prefill(prompt);
      }
      let done = 0;
      while (done < options.tokensPerPrompt && !isOver(options)) {
        const count = Math.min(TURN_TOKENS, options.tokensPerPrompt - done);
        const wanted = await turn(runners[0], count, null);
        for (const runner of runners.slice(1)) await turn(runner, count, wanted);
        for (const id of wanted) distinct.add(id);
        done += count;
        if (done % PROGRESS_TOKENS === 0 || done === options.tokensPerPrompt) {
          const different = runners.slice(1).map(({ differences }) => differences);
          options.onProgress?.(`prompt ${index + 1} of ${prompts.length}: ${done} tokens, ${different.join(' + ')} different`);
        }
      }
    }
    return { rows: runners.map(row), distinctIds: distinct.size };
  } finally {
    for (const { engine } of runners) {
      await engine.stop();
      engine.dispose();
    }
  }
}

const isOver = ({ endMs = Infinity }: ExactnessOptions) => performance.now() >= endMs;

async function turn(runner: Runner, count: number, wanted: readonly number[] | null): Promise<number[]> {
  const startMs = performance.now();
  const ids: number[] = [];
  for await (const { id } of runner.engine.generate({ maxTokens: count, sampling: GREEDY, endIds: new Set() })) ids.push(id);
  runner.elapsedMs += performance.now() - startMs;
  runner.tokens += ids.length;
  if (wanted) runner.differences += wanted.filter((id, i) => ids[i] !== id).length;
  return ids;
}

function row({ engine, share, layers, tokens, differences, elapsedMs }: Runner): ExactnessRow {
  const { hits, missesFromRam, missesFromDisk }: ResidencyCounters = engine.residency();
  const uses = hits + missesFromRam + missesFromDisk;
  const hitRate = uses === 0 ? 1 : hits / uses;
  const readbacksPerToken = engine.counters().decodeReadbacks / Math.max(1, tokens);
  const misses = { fromRam: missesFromRam, fromDisk: missesFromDisk };
  return { share, layers, tokens, differences, hitRate, ...misses, readbacksPerToken, elapsedMs };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      shares: { type: 'string', default: '10%,25%,50%' },
      ram: { type: 'string', default: `${100 * RAM_SHARE}%` },
      prompts: { type: 'string', default: `${PROMPTS.length}` },
      'first-prompt': { type: 'string', default: '0' },
      tokens: { type: 'string', default: '512' },
      minutes: { type: 'string' },
    },
  });
  const gpu = await openTestDevice();
  if (!gpu) throw new Error('no adapter');
  const name = positionals[0] ?? `generated, seed ${GENERATED_SEED}`;
  const opened = positionals[0] ? await openModelFile(positionals[0]) : null;
  const file = opened?.file ?? (await openGguf(memorySource('generated.gguf', generatedModel())));
  const first = Number(values['first-prompt']);
  const { rows, distinctIds } = await measureExactness(gpu, file, {
    shares: values.shares.split(',').map(shareOf),
    ramShare: shareOf(values.ram),
    prompts: PROMPTS.slice(first, first + Number(values.prompts)),
    tokensPerPrompt: Number(values.tokens),
    endMs: values.minutes ? performance.now() + 60_000 * Number(values.minutes) : undefined,
    onProgress: (line) => console.error(`${(performance.now() / 1000).toFixed(0)} s: ${line}`),
  });
  console.log(
    `${name}, ${gpu.capabilities.description}; load average ${os.loadavg()[0].toFixed(1)}; ${distinctIds} different ids`,
  );
  const head = ['slots', 'layers', 'tokens', 'different', 'hits', 'from RAM', 'from file', 'read-backs', 'seconds'];
  const cells = rows.map((r) => [
    percent(r.share),
    r.layers,
    `${r.tokens}`,
    `${r.differences}`,
    percent(r.hitRate),
    `${r.fromRam}`,
    `${r.fromDisk}`,
    r.readbacksPerToken.toFixed(1),
    (r.elapsedMs / 1000).toFixed(0),
  ]);
  console.log(textTable([head, ...cells], 2).join('\n'));
  await opened?.close();
  gpu.dispose();
  process.exit(rows[0].tokens === 0 ? 2 : rows.some(({ differences }) => differences > 0) ? 1 : 0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
