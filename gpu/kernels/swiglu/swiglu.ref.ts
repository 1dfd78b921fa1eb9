/** Reference of `swiglu`: silu(gate) · up over a chunk. */
import { swiglu } from '../../reference/ops/ffn.ts';
import type { NumericArray } from '../../reference/ops/types.ts';

/** `gate [T, F]`, `up [T, F]` → `[T, F]`. */
export function swigluRef(gate: NumericArray, up: NumericArray): Float64Array {
  return swiglu(gate, up);
}
