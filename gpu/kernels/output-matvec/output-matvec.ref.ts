/** Reference of `output-matvec`: attention's output projection, bias, residual. */
import { matvec } from '../../reference/ops/matvec.ts';
import type { NumericArray } from '../../reference/ops/types.ts';

/** `attention [H·Hd]`, `weights [D, H·Hd]`, `residual [D]`, `bias [D]` → `h_mid [D]`. */
export function outputMatvecRef(
  attention: NumericArray,
  weights: Float32Array,
  residual: NumericArray,
  bias?: Float32Array,
): Float64Array {
  return matvec(weights, attention, bias).map((value, i) => value + residual[i]);
}
