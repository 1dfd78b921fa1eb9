/** Reference of `qkv-matvec`: RMS norm of the residual, then the q, k and v rows with their biases. */
import { matvec } from '../../reference/ops/matvec.ts';
import { rmsNorm } from '../../reference/ops/rms-norm.ts';
import type { Matrix, NumericArray } from '../../reference/ops/types.ts';

export interface QkvMatvecInput {
  readonly residual: NumericArray; // [D]
  readonly norm: Float32Array; // [D]
  readonly epsilon: number;
  readonly q: Matrix; // [H·Hd, D]
  readonly k: Matrix; // [G·Hd, D]
  readonly v: Matrix; // [G·Hd, D]
  readonly qBias?: Float32Array; // [H·Hd]
  readonly kBias?: Float32Array; // [G·Hd]
  readonly vBias?: Float32Array; // [G·Hd]
}

/** → q | k | v, `[(H + 2G)·Hd]`, before clamp, q/k norm and RoPE. */
export function qkvMatvecRef(input: QkvMatvecInput): Float64Array {
  const x = rmsNorm(input.residual, input.norm, input.epsilon);
  const parts = [matvec(input.q, x, input.qBias), matvec(input.k, x, input.kBias), matvec(input.v, x, input.vBias)];
  const out = new Float64Array(parts[0].length + parts[1].length + parts[2].length);
  out.set(parts[0], 0);
  out.set(parts[1], parts[0].length);
  out.set(parts[2], parts[0].length + parts[1].length);
  return out;
}
