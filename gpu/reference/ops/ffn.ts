/** Feed-forward pieces: SwiGLU (Shazeer 2020) and the weighted sum of experts. */
import type { NumericArray } from './types.ts';

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** silu(gate) · up, elementwise, `[n]`. */
export function swiglu(gate: NumericArray, up: NumericArray): Float64Array {
  const out = new Float64Array(gate.length);
  for (let i = 0; i < out.length; i++) out[i] = gate[i] * sigmoid(gate[i]) * up[i];
  return out;
}

/**
 * Expert outputs in rank order, then the shared expert, then the residual: `rankOutputs [K][D]`, `weights [K]`,
 * `shared [D]` times `sharedWeight`, `residual [D]` → `[D]`.
 */
export function mixExperts(
  rankOutputs: readonly NumericArray[],
  weights: NumericArray,
  residual: NumericArray,
  shared?: { readonly output: NumericArray; readonly weight: number },
): Float64Array {
  const out = new Float64Array(residual.length);
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let rank = 0; rank < rankOutputs.length; rank++) sum += weights[rank] * rankOutputs[rank][i];
    if (shared) sum += shared.weight * shared.output[i];
    out[i] = residual[i] + sum;
  }
  return out;
}
