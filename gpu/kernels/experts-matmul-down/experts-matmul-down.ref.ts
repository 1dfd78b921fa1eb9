/** Reference of `experts-matmul-down`: down of every pair, scattered back from sorted order to pair order. */
import { matvec } from '../../reference/ops/matvec.ts';
import type { ExpertBiases, ExpertWeights, NumericArray } from '../../reference/ops/types.ts';
import type { SortedPairs } from '../experts-sort/experts-sort.ref.ts';

export interface ExpertsMatmulDownInput {
  readonly hidden: NumericArray; // [T·K, F], sorted order
  readonly modelWidth: number; // D
  readonly expertWidth: number; // F
  readonly sorted: SortedPairs;
  readonly down: ExpertWeights; // each [D, F]
  readonly biases?: ExpertBiases;
}

/** → `[T·K, D]` in pair order, not weighted (`experts-combine` weighs). */
export function expertsMatmulDownRef(input: ExpertsMatmulDownInput): Float64Array {
  const { hidden, modelWidth, expertWidth, sorted } = input;
  const out = new Float64Array(sorted.pairs.length * modelWidth);
  for (let expert = 0; expert < sorted.counts.length; expert++)
    for (let place = sorted.offsets[expert]; place < sorted.offsets[expert + 1]; place++) {
      const row = hidden.subarray(place * expertWidth, (place + 1) * expertWidth);
      out.set(matvec(input.down(expert), row, input.biases?.(expert)), sorted.pairs[place] * modelWidth);
    }
  return out;
}
