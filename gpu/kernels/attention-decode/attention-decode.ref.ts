/** Reference of `attention-decode`: append one token's key and value, then attend over splits of the cache at absolute positions. */
import { attendRange, firstSeen, type AttentionPartial } from '../../reference/ops/attention.ts';
import type { NumericArray } from '../../reference/ops/types.ts';
import { ropeAppendRef, type RopeAppendParams } from '../rope-append/rope-append.ref.ts';

export interface AttentionDecodeParams extends RopeAppendParams {
  /** Scores are multiplied by this. */
  readonly attentionScale: number;
  /** Positions per split; split s covers s · splitTokens ≤ p < (s + 1) · splitTokens. */
  readonly splitTokens: number;
  /** [H]: joins the split of the new position. */
  readonly sinks?: NumericArray;
  /** Positions that the token sees, its own counted; absent: all. */
  readonly windowTokens?: number;
}

/**
 * `qkv [(H + 2G)·Hd]` of the token at `position`; writes its row of `keys` and `values [G, C, Hd]` → one partial per split that
 * holds positions ≤ `position`. `attentionReduceRef` makes the output of them; with one split the kernel writes that output itself.
 */
export function attentionDecodeRef(
  qkv: NumericArray,
  position: number,
  params: AttentionDecodeParams,
  keys: Float64Array,
  values: Float64Array,
): AttentionPartial[] {
  const query = ropeAppendRef(qkv, position, params, keys, values);
  const shape = { ...params, scale: params.attentionScale };
  const partials: AttentionPartial[] = [];
  const seen = firstSeen(position, params.windowTokens);
  for (let from = 0; from <= position; from += params.splitTokens) {
    const to = Math.min(from + params.splitTokens, position + 1);
    const sinks = to > position ? params.sinks : undefined;
    partials.push(attendRange(query, keys, values, Math.max(from, seen), to, shape, sinks));
  }
  return partials;
}
