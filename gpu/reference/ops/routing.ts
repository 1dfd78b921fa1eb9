/** Softmax gating and the choice of experts. */
import type { NumericArray } from './types.ts';

export interface GatingNumbers {
  readonly nExpertsUsed: number; // K
  /** Divide the chosen weights by their sum. */
  readonly normalise: boolean;
  /** Multiplies the chosen weights after normalising. */
  readonly weightScale: number;
}

export interface Routing {
  /** `[K]` by rank: the greatest first, ties to the lower id. */
  readonly ids: Uint32Array;
  /** `[K]` by rank. */
  readonly weights: Float64Array;
}

/** `logits [n]` → probabilities `[n]`. */
export function softmax(logits: NumericArray): Float64Array {
  let max = -Infinity;
  for (let i = 0; i < logits.length; i++) max = Math.max(max, logits[i]);
  const out = new Float64Array(logits.length);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += out[i] = Math.exp(logits[i] - max);
  for (let i = 0; i < logits.length; i++) out[i] /= sum;
  return out;
}

/** Indices of the k greatest values, greatest first, ties to the lower index. */
export function topIndices(values: NumericArray, k: number): Uint32Array {
  const order = Array.from(values, (_, index) => index);
  order.sort((a, b) => values[b] - values[a] || a - b);
  return Uint32Array.from(order.slice(0, k));
}

/**
 * Softmax over all experts, then the K most likely. Chosen by the logits, whose order is that of the probabilities
 * without their rounding. When normalising, the sum is held to at least 2^-14, as llama.cpp does.
 */
export function routeTopK(logits: NumericArray, gating: GatingNumbers): Routing {
  const probabilities = softmax(logits);
  const ids = topIndices(logits, gating.nExpertsUsed);
  const weights = Float64Array.from(ids, (id) => probabilities[id]);
  if (gating.normalise) {
    const sum = Math.max(
      weights.reduce((total, weight) => total + weight, 0),
      2 ** -14,
    );
    for (let rank = 0; rank < weights.length; rank++) weights[rank] /= sum;
  }
  for (let rank = 0; rank < weights.length; rank++) weights[rank] *= gating.weightScale;
  return { ids, weights };
}
