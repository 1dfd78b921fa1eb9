/** y = W·x (+ bias): the one place where the reference multiplies weights with activations. */
import { invariant } from '../../invariant.ts';
import type { NumericArray } from './types.ts';

/** `weights [N, K]`, `x [K]`, `bias [N]` → `[N]`. N is derived from the lengths. */
export function matvec(weights: Float32Array, x: NumericArray, bias?: NumericArray): Float64Array {
  const cols = x.length;
  const rows = weights.length / cols;
  invariant(Number.isInteger(rows), `matvec: ${weights.length} weights do not divide into rows of ${cols}`);
  invariant(!bias || bias.length === rows, `matvec: bias has ${bias?.length} elements, ${rows} rows`);
  const out = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    const start = row * cols;
    for (let col = 0; col < cols; col++) sum += weights[start + col] * x[col];
    out[row] = bias ? sum + bias[row] : sum;
  }
  return out;
}
