/** Reference of `dense-down`: down rows, residual. */
import { matvec } from '../../reference/ops/matvec.ts';
import type { Matrix, NumericArray } from '../../reference/ops/types.ts';

/** `hidden [F]`, `down [D, F]`, `hMid [D]` → `h_out [D]`. */
export function denseDownRef(hidden: NumericArray, down: Matrix, hMid: NumericArray): Float64Array {
  return matvec(down, hidden).map((value, i) => value + hMid[i]);
}
