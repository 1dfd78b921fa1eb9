/** Reference of `experts-matmul-up`: gate and up of every (token, rank) pair, activation, in sorted order. */
import type { MoeSpec } from '../../architectures/types.ts';
import { ACTIVATIONS } from '../../reference/ops/ffn.ts';
import { matvec } from '../../reference/ops/matvec.ts';
import type { ExpertBiases, ExpertWeights, NumericArray } from '../../reference/ops/types.ts';
import type { SortedPairs } from '../experts-sort/experts-sort.ref.ts';

export interface ExpertsMatmulUpInput {
  readonly x: NumericArray; // [T, D], normed
  readonly modelWidth: number; // D
  readonly expertWidth: number; // F
  readonly nExpertsUsed: number; // K
  readonly sorted: SortedPairs;
  readonly gate: ExpertWeights; // each [F, D]
  readonly up: ExpertWeights; // each [F, D]
  readonly biases?: { readonly gate: ExpertBiases; readonly up: ExpertBiases };
  /** Default `silu`. */
  readonly activation?: MoeSpec['activation'];
}

/** → `hidden [T·K, F]`, row i belongs to the pair `sorted.pairs[i]`. */
export function expertsMatmulUpRef(input: ExpertsMatmulUpInput): Float64Array {
  const { x, modelWidth, expertWidth, nExpertsUsed, sorted, biases, activation = 'silu' } = input;
  const hidden = new Float64Array(sorted.pairs.length * expertWidth);
  for (let expert = 0; expert < sorted.counts.length; expert++)
    for (let place = sorted.offsets[expert]; place < sorted.offsets[expert + 1]; place++) {
      const token = Math.floor(sorted.pairs[place] / nExpertsUsed);
      const row = x.subarray(token * modelWidth, (token + 1) * modelWidth);
      const gate = matvec(input.gate(expert), row, biases?.gate(expert));
      const up = matvec(input.up(expert), row, biases?.up(expert));
      hidden.set(ACTIVATIONS[activation](gate, up), place * expertWidth);
    }
  return hidden;
}
