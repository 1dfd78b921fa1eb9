/** Reference of `rms-norm`: each row by itself. */
import { rmsNorm } from '../../reference/ops/rms-norm.ts';
import type { NumericArray } from '../../reference/ops/types.ts';

/** `x [T, D]`, `weight [D]` → `[T, D]`. */
export function rmsNormRef(x: NumericArray, weight: Float32Array, epsilon: number): Float64Array {
  const width = weight.length;
  const out = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += width)
    out.set(rmsNorm(x.subarray(start, start + width), weight, epsilon), start);
  return out;
}
