/** Softmax gating and the choice of experts. */
import type { NumericArray } from './types.ts';

export interface GatingNumbers {
  readonly nExpertsUsed: number; // K
  /** Divide the chosen weights by their sum. */
  readonly normalise: boolean;
  /** Multiplies the chosen weights after normalising. */
  readonly weightScale: number;
}

/**
 * Cache-aware routing, which changes answers: in the choice an expert with a slot stands `margin` higher than its logit. So it takes the place
 * of one without whose logit is at most that much higher; both are then within `margin` of the K-th best. The idea is that of the
 * "cache prior" of arXiv 2412.00099, with a fixed prior.
 */
export interface CacheAwareRouting {
  /** f32, in logits, above 0. */
  readonly margin: number;
  readonly hasSlot: (expert: number) => boolean;
}

export interface Routing {
  /** `[K]` by rank: the greatest standing first, ties to the lower id. */
  readonly ids: Uint32Array;
  /** `[K]` by rank. */
  readonly weights: Float64Array;
  /** `[K]` by rank: exact routing would not have chosen it. */
  readonly isSubstitute: readonly boolean[];
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
 * without their rounding; `cacheAware` moves the choice, not the weights. When normalising, the sum is held to at least 2^-14, as llama.cpp does.
 */
export function routeTopK(logits: NumericArray, gating: GatingNumbers, cacheAware?: CacheAwareRouting): Routing {
  const probabilities = softmax(logits);
  const exact = topIndices(logits, gating.nExpertsUsed);
  const ids = cacheAware ? topIndices(standings(logits, cacheAware), gating.nExpertsUsed) : exact;
  const isSubstitute = Array.from(ids, (id) => !exact.includes(id));
  const weights = Float64Array.from(ids, (id) => probabilities[id]);
  if (gating.normalise) {
    const sum = Math.max(
      weights.reduce((total, weight) => total + weight, 0),
      2 ** -14,
    );
    for (let rank = 0; rank < weights.length; rank++) weights[rank] /= sum;
  }
  for (let rank = 0; rank < weights.length; rank++) weights[rank] *= gating.weightScale;
  return { ids, weights, isSubstitute };
}

/** Sums of two f32, rounded to f32 as a kernel does it. */
function standings(logits: NumericArray, { margin, hasSlot }: CacheAwareRouting): Float64Array {
  return Float64Array.from(logits, (logit, expert) => (hasSlot(expert) ? Math.fround(logit + Math.fround(margin)) : logit));
}
