/**
 * Is what the planner predicts what is measured? `node main/hosts/launcher/with-node.mjs tests/offload/predicted.ts [MODEL.gguf …] [--budgets
 * 10%,40%,75%] [--prompt 128] [--tokens 64] [--warm 32] [--recorded 0] [--adapter lavapipe]`: memory by tier and speed for each file (generated ones besides) and
 * budget, a share of the way from the least that runs to all resident. Each run measures its own speeds and answers once before it counts, at
 * temperature 1. Exit code 1 where memory is more than 10 % or tokens/s more than 25 % off.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readModel } from '../../gpu/architectures/read-model.ts';
import { lowerQuartile } from '../../gpu/lower-quartile.ts';
import { machineFigures } from '../../gpu/residency/plan/machine.ts';
import { modelNumbers } from '../../gpu/residency/plan/model-numbers.ts';
import { leastGpuBytes, planOffload } from '../../gpu/residency/plan/plan.ts';
import { mebibytes } from '../../gpu/residency/plan/words.ts';
import { besidePrediction, type Pair } from '../../main/hosts/cli/bench-prediction.ts';
import { percent, textTable } from '../../main/hosts/cli/text-table.ts';
import { openModelFile } from '../../main/library/model-file.ts';
import { speedModel, tinyModel } from '../fixtures/tiny-model.ts';
import { generatedModel } from './exactness.ts';
import { shareOf } from './share-plan.ts';
import { adapterBaselineBytes, watchedAnswer, type WatchedAnswer } from './watched-answer.ts';

/** Of the expert bytes, those that the RAM budget allows. */
const RAM_SHARE = 0.25;
const MOST_OFF = 0.1;
const MOST_OFF_SPEED = 0.25;
const BLOCK_TOKENS = 8;
/** What lavapipe and SwiftShader allow; the plan of the run itself goes by the device's own. */
const LIMITS = { software: true, maxStorageBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 31 };

export interface PredictionRow {
  readonly file: string;
  readonly budget: number;
  readonly gpu: Pair;
  readonly ramPool: Pair;
  readonly hitRate: Pair;
  readonly tokensPerSecond: Pair;
  readonly promptTokensPerSecond: Pair;
  /** Most Pss less that of the adapter alone, and predicted GPU and RAM bytes together: on a software adapter all is the process's. */
  readonly processBytes: number;
  readonly loadAverage: number;
}

export interface PredictionRequest {
  readonly files: readonly string[];
  readonly budgets: readonly number[];
  readonly adapter: string;
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly warmTokens: number;
  /** Tokens whose routing hit rates are predicted from; 0: they are assumed. */
  readonly recordedTokens?: number;
  /** Each run keeps its speeds in a folder of its own in here. */
  readonly dataFolder: string;
}

export async function* measurePredictions(request: PredictionRequest): AsyncGenerator<PredictionRow> {
  const { adapter, promptTokens, newTokens, warmTokens, recordedTokens } = request;
  const baselineBytes = await adapterBaselineBytes(adapter);
  for (const model of request.files) {
    const { least, most, expertBytes } = await rangeOf(model, promptTokens + newTokens);
    for (const budget of request.budgets) {
      const gpuBytes = Math.ceil(least + budget * (most - least));
      const ramBytes = Math.floor(RAM_SHARE * expertBytes);
      const dataFolder = mkdtempSync(path.join(request.dataFolder, 'run-'));
      const sizes = { promptTokens, newTokens, warmTokens, recordedTokens, temperature: 1, dataFolder };
      yield rowOf(await watchedAnswer({ model, adapter, gpuBytes, ramBytes, ...sizes }), {
        file: path.basename(model),
        budget,
        baselineBytes,
      });
    }
  }
}

export function rowOf(
  { answer, pss }: WatchedAnswer,
  { baselineBytes, ...of }: Pick<PredictionRow, 'file' | 'budget'> & { readonly baselineBytes: number },
): PredictionRow {
  const { plan, ledger, residency, counters, tokens } = answer;
  const { hits, missesFromRam, missesFromDisk } = residency;
  const uses = hits + missesFromRam + missesFromDisk;
  const measured = {
    decodeTokensPerSecond: usualRate(answer.tokenMs),
    prefillTokensPerSecond: (1000 * counters.prefillTokens) / answer.prefillMs,
    expertHitRate: uses === 0 ? 1 : hits / uses,
    readbacksPerToken: counters.decodeReadbacks / tokens,
  };
  const { memory, hitRate, tokensPerSecond, promptTokensPerSecond } = besidePrediction(plan, ledger, residency, measured);
  const { gpu, ramPool } = memory;
  const processBytes = pss.peakBytes - baselineBytes;
  const speeds = { hitRate, tokensPerSecond, promptTokensPerSecond };
  return { ...of, gpu, ramPool, ...speeds, processBytes, loadAverage: os.loadavg()[0] };
}

/**
 * Tokens per second by the lower quartile of blocks of tokens, the statistic by which links are measured: other programs make blocks longer. A block is
 * long enough to have its share of misses.
 */
function usualRate(tokenMs: readonly number[]): number {
  const blocks: number[] = [];
  for (let at = 0; at + BLOCK_TOKENS <= tokenMs.length; at += BLOCK_TOKENS)
    blocks.push(tokenMs.slice(at, at + BLOCK_TOKENS).reduce((sum, ms) => sum + ms, 0) / BLOCK_TOKENS);
  return 1000 / lowerQuartile(blocks);
}

/** Within a tenth; where nothing was predicted, nothing may be there. */
export function isMemoryRight({ gpu, ramPool }: PredictionRow): boolean {
  return [gpu, ramPool].every(({ predicted, measured }) => Math.abs(measured - predicted) <= MOST_OFF * predicted);
}

/** Within a quarter of what was predicted. */
export function isSpeedRight({ tokensPerSecond: { predicted, measured } }: PredictionRow): boolean {
  return Math.abs(measured - predicted) <= MOST_OFF_SPEED * predicted;
}

async function rangeOf(model: string, contextTokens: number) {
  const { file, close } = await openModelFile(model);
  try {
    const numbers = modelNumbers(readModel(file), LIMITS);
    const surroundings = { ramFreeBytes: 2 ** 40, ramTotalBytes: 2 ** 40, links: [] };
    const machine = machineFigures({ unifiedMemory: true, software: true, gpuFreeBytes: null, surroundings, links: null });
    const budgets = { gpuBytes: 2 ** 40, ramBytes: 0 };
    const all = planOffload(numbers, { budgets, machine, context: { tokens: contextTokens, fixed: true } });
    const expertBytes = numbers.nExperts * numbers.layers.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
    return { least: leastGpuBytes(numbers, contextTokens), most: all.gpu.totalBytes, expertBytes };
  } finally {
    await close();
  }
}

/** Four kinds: the speed comparison's, many small experts, types mixed as in Q4_K_M, a shared expert. */
export function writeGenerated(folder: string): string[] {
  const wide = { modelWidth: 512, nHeads: 8, nKvHeads: 4, headWidth: 64, expertWidth: 512, nExperts: 16, contextTokens: 1024 };
  const files: Record<string, () => Uint8Array> = {
    'speed.gguf': () => speedModel(),
    '64-experts.gguf': () => generatedModel(),
    'mixed-types.gguf': () =>
      tinyModel({ architecture: 'mixtral', type: 'Q4_K', otherType: 'Q6_K', seed: 31, nLayers: 6, ...wide }),
    'shared-expert.gguf': () =>
      tinyModel({ architecture: 'qwen2moe', type: 'Q4_0', seed: 32, nLayers: 6, nExpertsUsed: 4, ...wide }),
  };
  return Object.entries(files).map(([name, make]) => {
    const file = path.join(folder, name);
    writeFileSync(file, make());
    return file;
  });
}

function cells(row: PredictionRow): string[] {
  const bytes = ({ predicted, measured }: Pair) => `${mebibytes(predicted)} / ${mebibytes(measured)}`;
  const rate = ({ predicted, measured, ratio }: Pair) =>
    `${predicted.toFixed(1)} / ${measured.toFixed(1)} (${ratio?.toFixed(2)})`;
  return [
    row.file,
    percent(row.budget),
    `${bytes(row.gpu)}`,
    `${bytes(row.ramPool)}`,
    isMemoryRight(row) ? 'yes' : 'NO',
    mebibytes(row.processBytes),
    `${percent(row.hitRate.predicted)} / ${percent(row.hitRate.measured)}`,
    rate(row.tokensPerSecond),
    isSpeedRight(row) ? 'yes' : 'NO',
    rate(row.promptTokensPerSecond),
    row.loadAverage.toFixed(1),
  ];
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      budgets: { type: 'string', default: '10%,40%,75%' },
      prompt: { type: 'string', default: '128' },
      tokens: { type: 'string', default: '64' },
      warm: { type: 'string', default: '32' },
      recorded: { type: 'string', default: '0' },
      adapter: { type: 'string', default: process.env.CONCLAVE_ADAPTER ?? 'auto' },
      'no-generated': { type: 'boolean', default: false },
    },
  });
  const dataFolder = mkdtempSync(path.join(os.tmpdir(), 'conclave-predicted-'));
  const rows: PredictionRow[] = [];
  try {
    const request: PredictionRequest = {
      files: [...positionals, ...(values['no-generated'] ? [] : writeGenerated(dataFolder))],
      budgets: values.budgets.split(',').map(shareOf),
      adapter: values.adapter,
      promptTokens: Number(values.prompt),
      newTokens: Number(values.tokens),
      warmTokens: Number(values.warm),
      recordedTokens: Number(values.recorded),
      dataFolder,
    };
    for await (const row of measurePredictions(request)) {
      rows.push(row);
      console.error(cells(row).join(' | '));
    }
  } finally {
    rmSync(dataFolder, { recursive: true, force: true });
  }
  const pair = 'predicted / measured';
  const head = [
    'file',
    'budget',
    `GPU, ${pair}`,
    'RAM pool',
    'within 10 %',
    'process',
    'hits',
    'tokens/s',
    'within 25 %',
    'prompt tokens/s',
    'load',
  ];
  console.log(textTable([head, ...rows.map(cells)], 1).join('\n'));
  process.exitCode = rows.every((row) => isMemoryRight(row) && isSpeedRight(row)) ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
