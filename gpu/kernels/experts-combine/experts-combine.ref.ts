/** Reference of `experts-combine`: each token's expert outputs in rank order, the shared expert last, then the residual. */
import { mixExperts, sigmoid } from '../../reference/ops/ffn.ts';
import type { NumericArray } from '../../reference/ops/types.ts';

export interface ExpertsCombineInput {
  readonly pairOutputs: NumericArray; // [T·K, D], pair order
  readonly weights: NumericArray; // [T, K]
  readonly residual: NumericArray; // [T, D]
  readonly modelWidth: number; // D
  readonly nExpertsUsed: number; // K
  readonly shared?: {
    readonly output: NumericArray; // [T, D]
    /** [T], before the sigmoid; absent: weight 1. */
    readonly gateLogits?: NumericArray;
  };
}

/** → `h_out [T, D]`. */
export function expertsCombineRef(input: ExpertsCombineInput): Float64Array {
  const { pairOutputs, weights, residual, modelWidth, nExpertsUsed, shared } = input;
  const row = (rows: NumericArray, index: number) => rows.subarray(index * modelWidth, (index + 1) * modelWidth);
  const out = new Float64Array(residual.length);
  for (let token = 0; token < residual.length / modelWidth; token++) {
    const first = token * nExpertsUsed;
    const ranks = Array.from({ length: nExpertsUsed }, (_, rank) => row(pairOutputs, first + rank));
    const mixed = mixExperts(
      ranks,
      weights.subarray(first, first + nExpertsUsed),
      row(residual, token),
      shared && {
        output: row(shared.output, token),
        weight: shared.gateLogits ? sigmoid(shared.gateLogits[token]) : 1,
      },
    );
    out.set(mixed, token * modelWidth);
  }
  return out;
}
