/** RMS normalisation (Zhang and Sennrich 2019): y = x / sqrt(mean(x²) + ε) · w. */
import type { NumericArray } from './types.ts';

/** `x [n]`, `weight [n]` → `[n]`. */
export function rmsNorm(x: NumericArray, weight: NumericArray, epsilon: number): Float64Array {
  let sumOfSquares = 0;
  for (let i = 0; i < x.length; i++) sumOfSquares += x[i] * x[i];
  const scale = 1 / Math.sqrt(sumOfSquares / x.length + epsilon);
  const out = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) out[i] = x[i] * scale * weight[i];
  return out;
}
