/** Reference of `dense-up`: norm, gate and up rows, SwiGLU. */
import { swiglu } from '../../reference/ops/ffn.ts';
import { matvec } from '../../reference/ops/matvec.ts';
import { rmsNorm } from '../../reference/ops/rms-norm.ts';
import type { Matrix, NumericArray } from '../../reference/ops/types.ts';

/** `hMid [D]`, `norm [D]`, `gate` and `up [F, D]` → hidden `[F]`. */
export function denseUpRef(hMid: NumericArray, norm: Float32Array, epsilon: number, gate: Matrix, up: Matrix): Float64Array {
  const x = rmsNorm(hMid, norm, epsilon);
  return swiglu(matvec(gate, x), matvec(up, x));
}
