/** Reference of `output-matvec`: attention's output projection, bias, residual. */
import { matvec } from '../../reference/ops/matvec.ts';
import type { Matrix, NumericArray } from '../../reference/ops/types.ts';

/** `attention [H·Hd]`, `weights [D, H·Hd]`, `residual [D]`, `bias [D]` → `h_mid [D]`. */
export function outputMatvecRef(
  attention: NumericArray,
  weights: Matrix,
  residual: NumericArray,
  bias?: Float32Array,
): Float64Array {
  return matvec(weights, attention, bias).map((value, i) => value + residual[i]);
}
