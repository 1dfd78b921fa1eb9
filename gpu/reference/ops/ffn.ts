/** Feed-forward pieces: SwiGLU (Shazeer 2020), the clamped one of gpt-oss and the weighted sum of experts. */
import type { MoeSpec } from '../../architectures/types.ts';
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

const CLAMP_LIMIT = 7;
const CLAMP_STEEPNESS = 1.702;

/** g · sigmoid(1.702 · g) · (u + 1), with the gate at most 7 and |up| at most 7, elementwise, `[n]` (ggml's `swiglu_oai`, as gpt-oss has it). */
export function clampedSwiglu(gate: NumericArray, up: NumericArray): Float64Array {
  const out = new Float64Array(gate.length);
  for (let i = 0; i < out.length; i++) {
    const g = Math.min(gate[i], CLAMP_LIMIT);
    const u = Math.max(-CLAMP_LIMIT, Math.min(CLAMP_LIMIT, up[i]));
    out[i] = g * sigmoid(CLAMP_STEEPNESS * g) * (u + 1);
  }
  return out;
}

export const ACTIVATIONS = { silu: swiglu, 'clamped-swiglu': clampedSwiglu } as const satisfies Record<
  MoeSpec['activation'],
  typeof swiglu
>;

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
