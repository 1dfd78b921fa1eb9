/** Reference of `attention-prefill`: causal attention of a chunk whose keys and values are already in the cache. */
import { attendRange, combinePartials, firstSeen, type AttentionShape } from '../../reference/ops/attention.ts';
import type { NumericArray } from '../../reference/ops/types.ts';

export interface AttentionPrefillNumbers extends AttentionShape {
  readonly sinks?: NumericArray; // [H]
  readonly windowTokens?: number;
}

/** `queries [T, H·Hd]` at positions `firstPosition`…, `keys` and `values [G, C, Hd]` → `[T, H·Hd]`. */
export function attentionPrefillRef(
  queries: NumericArray,
  firstPosition: number,
  keys: NumericArray,
  values: NumericArray,
  shape: AttentionPrefillNumbers,
): Float64Array {
  const rowWidth = shape.nHeads * shape.headWidth;
  const out = new Float64Array(queries.length);
  for (let token = 0; token * rowWidth < queries.length; token++) {
    const query = queries.subarray(token * rowWidth, (token + 1) * rowWidth);
    const position = firstPosition + token;
    const seen = firstSeen(position, shape.windowTokens);
    const partial = attendRange(query, keys, values, seen, position + 1, shape, shape.sinks);
    out.set(combinePartials([partial], shape.headWidth), token * rowWidth);
  }
  return out;
}
