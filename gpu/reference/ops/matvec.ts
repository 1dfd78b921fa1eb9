/** y = W·x (+ bias): the one place where the reference multiplies weights with activations. */
import { invariant } from '../../invariant.ts';
import type { Matrix, NumericArray } from './types.ts';

/** `matrix [N, K]`, `x [K]`, `bias [N]` → `[N]`. N is derived from the lengths. */
export function matvec(matrix: Matrix, x: NumericArray, bias?: NumericArray): Float64Array {
  const out = 'multiply' in matrix ? matrix.multiply(x) : multiply(matrix, x);
  invariant(!bias || bias.length === out.length, `matvec: bias has ${bias?.length} elements, ${out.length} rows`);
  return bias ? out.map((value, row) => value + bias[row]) : out;
}

function multiply(weights: Float32Array, x: NumericArray): Float64Array {
  const cols = x.length;
  const rows = weights.length / cols;
  invariant(Number.isInteger(rows), `matvec: ${weights.length} weights do not divide into rows of ${cols}`);
  const out = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    const start = row * cols;
    for (let col = 0; col < cols; col++) sum += weights[start + col] * x[col];
    out[row] = sum;
  }
  return out;
}
