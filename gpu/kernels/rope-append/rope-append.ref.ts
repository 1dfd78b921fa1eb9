/** Reference of `rope-append`: clamp, q/k norm, RoPE; appends keys and values to the cache. `attention-decode` begins with the same steps. */
import { roundKv } from '../../quant/kv-formats.ts';
import type { KvType } from '../../quant/kv-types.ts';
import { rmsNorm } from '../../reference/ops/rms-norm.ts';
import { ropeInPlace } from '../../reference/ops/rope.ts';
import type { NumericArray } from '../../reference/ops/types.ts';

export interface RopeAppendParams {
  readonly nHeads: number; // H
  readonly nKvHeads: number; // G
  readonly headWidth: number; // Hd
  readonly contextTokens: number; // C
  /** |q|, |k|, |v| are clamped to this first. */
  readonly clampQkv?: number;
  /** Weights `[Hd]` with `per-head`, `[H·Hd]` and `[G·Hd]` with `whole-row`. */
  readonly qkNorm: 'none' | 'per-head' | 'whole-row';
  readonly qNorm?: Float32Array;
  readonly kNorm?: Float32Array;
  readonly epsilon: number;
  readonly pairing: 'interleaved' | 'halves';
  /** `[dims/2]`, angle per position of each pair (ropeInverseFrequencies). */
  readonly inverseFrequencies: NumericArray;
  /** Keys and values are rounded as a cache of this type stores them. `none`: pure f64, to see what the rounding costs. */
  readonly kvRounding: KvType | 'none';
}

/**
 * `qkv [T, (H + 2G)·Hd]` of positions `firstPosition`…; writes rows of `keys` and `values [G, C, Hd]` → queries after RoPE `[T, H·Hd]`.
 */
export function ropeAppendRef(
  qkv: NumericArray,
  firstPosition: number,
  params: RopeAppendParams,
  keys: Float64Array,
  values: Float64Array,
): Float64Array {
  const { nHeads, nKvHeads, headWidth, contextTokens, kvRounding } = params;
  const rowWidth = (nHeads + 2 * nKvHeads) * headWidth;
  const nTokens = qkv.length / rowWidth;
  const queries = new Float64Array(nTokens * nHeads * headWidth);
  const stored = (row: Float64Array) => (kvRounding === 'none' ? row : roundKv(kvRounding, row));
  for (let token = 0; token < nTokens; token++) {
    const position = firstPosition + token;
    const row = clamped(qkv.subarray(token * rowWidth, (token + 1) * rowWidth), params.clampQkv);
    const vStart = (nHeads + nKvHeads) * headWidth;
    const q = normedHeads(row.slice(0, nHeads * headWidth), params.qNorm, params);
    const k = normedHeads(row.slice(nHeads * headWidth, vStart), params.kNorm, params);
    for (let start = 0; start < q.length; start += headWidth)
      ropeInPlace(q.subarray(start, start + headWidth), position, params.pairing, params.inverseFrequencies);
    for (let start = 0; start < k.length; start += headWidth)
      ropeInPlace(k.subarray(start, start + headWidth), position, params.pairing, params.inverseFrequencies);
    queries.set(q, token * nHeads * headWidth);
    for (let head = 0; head < nKvHeads; head++) {
      const place = (head * contextTokens + position) * headWidth;
      keys.set(stored(k.subarray(head * headWidth, (head + 1) * headWidth)), place);
      values.set(stored(row.subarray(vStart + head * headWidth, vStart + (head + 1) * headWidth)), place);
    }
  }
  return queries;
}

function clamped(row: NumericArray, limit: number | undefined): Float64Array {
  const out = Float64Array.from(row);
  if (limit !== undefined) for (let i = 0; i < out.length; i++) out[i] = Math.max(-limit, Math.min(limit, out[i]));
  return out;
}

/** Norm of q or k rows `[heads·Hd]`, over each head or over the whole row. */
function normedHeads(row: Float64Array, weight: Float32Array | undefined, params: RopeAppendParams): Float64Array {
  if (params.qkNorm === 'none' || !weight) return row;
  if (params.qkNorm === 'whole-row') return rmsNorm(row, weight, params.epsilon);
  const out = new Float64Array(row.length);
  for (let start = 0; start < row.length; start += params.headWidth)
    out.set(rmsNorm(row.subarray(start, start + params.headWidth), weight, params.epsilon), start);
  return out;
}
