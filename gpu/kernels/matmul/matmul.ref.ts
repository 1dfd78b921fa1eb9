/** Reference of `matmul`: X·Wᵀ with bias and residual epilogues. */
import { matvec } from '../../reference/ops/matvec.ts';
import type { NumericArray } from '../../reference/ops/types.ts';

export interface MatmulInput {
  readonly x: NumericArray; // [T, K]
  readonly weights: Float32Array; // [N, K]
  readonly cols: number; // K
  readonly bias?: Float32Array; // [N]
  readonly residual?: NumericArray; // [T, N]
}

/** → `[T, N]`. */
export function matmulRef({ x, weights, cols, bias, residual }: MatmulInput): Float64Array {
  const nTokens = x.length / cols;
  const rows = weights.length / cols;
  const out = new Float64Array(nTokens * rows);
  for (let token = 0; token < nTokens; token++)
    out.set(matvec(weights, x.subarray(token * cols, (token + 1) * cols), bias), token * rows);
  if (residual) for (let i = 0; i < out.length; i++) out[i] += residual[i];
  return out;
}
