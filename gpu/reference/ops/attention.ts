/** Scaled dot-product attention of one query position over a range of the KV cache, with grouped-query heads (Ainslie et al. 2023). */
import type { NumericArray } from './types.ts';

export interface AttentionShape {
  readonly nHeads: number; // H
  readonly nKvHeads: number; // G
  readonly headWidth: number; // Hd
  /** C: rows per key/value head in `keys` and `values`. */
  readonly contextTokens: number;
  /** Scores are multiplied by this. */
  readonly scale: number;
}

/**
 * What online softmax knows of a range of positions, per head: the greatest score `max [H]`, `sum [H]` = Σ exp(score - max) and
 * `weighted [H, Hd]` = Σ exp(score - max) · v, not divided. Ranges combine exactly (Milakov and Gimelshein 2018; Dao et al. 2022).
 */
export interface AttentionPartial {
  readonly max: Float64Array;
  readonly sum: Float64Array;
  readonly weighted: Float64Array;
}

/**
 * `query [H, Hd]`, `keys` and `values [G, C, Hd]`; positions `from` ≤ p < `to`. `sinks [H]`: a further score per head whose value is zero (Xiao et al. 2023,
 * arXiv 2309.17453).
 */
export function attendRange(
  query: NumericArray,
  keys: NumericArray,
  values: NumericArray,
  from: number,
  to: number,
  shape: AttentionShape,
  sinks?: NumericArray,
): AttentionPartial {
  const { nHeads, nKvHeads, headWidth, contextTokens, scale } = shape;
  const max = new Float64Array(nHeads).fill(-Infinity);
  const sum = new Float64Array(nHeads);
  const weighted = new Float64Array(nHeads * headWidth);
  for (let head = 0; head < nHeads; head++) {
    const kvHead = Math.floor(head / (nHeads / nKvHeads));
    const scores = new Float64Array(Math.max(0, to - from));
    if (sinks) max[head] = sinks[head];
    for (let position = from; position < to; position++) {
      const row = (kvHead * contextTokens + position) * headWidth;
      let dot = 0;
      for (let i = 0; i < headWidth; i++) dot += query[head * headWidth + i] * keys[row + i];
      scores[position - from] = dot * scale;
      max[head] = Math.max(max[head], dot * scale);
    }
    if (sinks) sum[head] = Math.exp(sinks[head] - max[head]);
    for (let position = from; position < to; position++) {
      const row = (kvHead * contextTokens + position) * headWidth;
      const weight = Math.exp(scores[position - from] - max[head]);
      sum[head] += weight;
      for (let i = 0; i < headWidth; i++) weighted[head * headWidth + i] += weight * values[row + i];
    }
  }
  return { max, sum, weighted };
}

/** The first position that a token at `position` sees through a window of `windowTokens`. */
export function firstSeen(position: number, windowTokens = Infinity): number {
  return Math.max(0, position + 1 - windowTokens);
}

/** Combines the partials of disjoint ranges and divides: `[H, Hd]`. Empty ranges (max -∞) count for nothing. */
export function combinePartials(partials: readonly AttentionPartial[], headWidth: number): Float64Array {
  const nHeads = partials[0].max.length;
  const out = new Float64Array(nHeads * headWidth);
  for (let head = 0; head < nHeads; head++) {
    const max = Math.max(...partials.map((partial) => partial.max[head]));
    let sum = 0;
    for (const partial of partials) {
      const factor = partial.max[head] === -Infinity ? 0 : Math.exp(partial.max[head] - max);
      sum += factor * partial.sum[head];
      for (let i = head * headWidth; i < (head + 1) * headWidth; i++) out[i] += factor * partial.weighted[i];
    }
    for (let i = head * headWidth; i < (head + 1) * headWidth; i++) out[i] /= sum;
  }
  return out;
}
