/** Reference of `attention-reduce`: the splits of one token become its attention output. */
import { combinePartials, type AttentionPartial } from '../../reference/ops/attention.ts';

/** Partials in order of their positions → `[H, Hd]`. */
export function attentionReduceRef(partials: readonly AttentionPartial[], headWidth: number): Float64Array {
  return combinePartials(partials, headWidth);
}
