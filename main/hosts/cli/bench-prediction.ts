/** What the planner predicted beside what a bench measured: memory by tier, speed, hit rate. */
import { mebibytes } from '../../../gpu/residency/plan/words.ts';
import type { OffloadPlan } from '../../../gpu/residency/plan/types.ts';
import type { ResidencyCounters } from '../../../gpu/residency/types.ts';
import type { MemoryLedger } from '../../../gpu/runtime/types.ts';

export interface Pair {
  readonly predicted: number;
  readonly measured: number;
  /** measured ÷ predicted; null where nothing was predicted. */
  readonly ratio: number | null;
}

export interface BesidePrediction {
  readonly memory: Readonly<
    Record<'weights' | 'experts' | 'keysAndValues' | 'activations' | 'staging' | 'gpu' | 'ramPool', Pair>
  >;
  readonly tokensPerSecond: Pair;
  readonly promptTokensPerSecond: Pair;
  readonly hitRate: Pair;
  readonly readbacksPerToken: Pair;
}

interface Measured {
  readonly decodeTokensPerSecond: number;
  readonly prefillTokensPerSecond: number;
  readonly expertHitRate: number;
  readonly readbacksPerToken: number;
}

export function besidePrediction(
  { gpu, ram, prediction }: OffloadPlan,
  ledger: MemoryLedger,
  residency: ResidencyCounters,
  measured: Measured,
): BesidePrediction {
  return {
    memory: {
      weights: pair(gpu.weightsBytes, ledger.weightsBytes),
      experts: pair(gpu.expertsBytes, ledger.expertsBytes),
      keysAndValues: pair(gpu.kvBytes, ledger.kvBytes),
      activations: pair(gpu.activationsBytes, ledger.activationsBytes),
      staging: pair(gpu.stagingBytes, ledger.stagingBytes),
      gpu: pair(gpu.totalBytes, ledger.totalBytes),
      ramPool: pair(ram.poolBytes, residency.ramPoolBytes),
    },
    tokensPerSecond: pair(prediction.tokensPerSecond, measured.decodeTokensPerSecond),
    promptTokensPerSecond: pair(prediction.promptTokensPerSecond, measured.prefillTokensPerSecond),
    hitRate: pair(prediction.hitRate, measured.expertHitRate),
    readbacksPerToken: pair(prediction.readbacksPerToken, measured.readbacksPerToken),
  };
}

export function predictionText({ memory, ...rates }: BesidePrediction): string {
  const rows = [
    ['', 'predicted', 'measured', 'ratio'],
    ...Object.entries(memory).map(([name, { predicted, measured, ratio }]) => [
      name,
      mebibytes(predicted),
      mebibytes(measured),
      ratioText(ratio),
    ]),
    ...Object.entries(rates).map(([name, { predicted, measured, ratio }]) => [
      name,
      predicted.toFixed(2),
      measured.toFixed(2),
      ratioText(ratio),
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '))
    .join('\n');
}

function pair(predicted: number, measured: number): Pair {
  return { predicted, measured, ratio: predicted === 0 ? null : measured / predicted };
}

function ratioText(ratio: number | null): string {
  return ratio === null ? '-' : ratio.toFixed(3);
}
