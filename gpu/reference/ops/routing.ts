/** Gating by softmax or sigmoid, and the choice of experts. */
import type { ExpertGroups, MoeSpec } from '../../architectures/types.ts';
import type { NumericArray } from './types.ts';

export interface GatingNumbers {
  readonly nExpertsUsed: number; // K
  /** Divide the chosen weights by their sum. */
  readonly normalise: boolean;
  /** Multiplies the chosen weights after normalising. */
  readonly weightScale: number;
  /** `softmax` where it is not said. */
  readonly gating?: MoeSpec['gating'];
  /** Added to sigmoid weights for the choice, [E]. */
  readonly selectionBias?: NumericArray;
  /** Of sigmoid gating only. */
  readonly groups?: ExpertGroups;
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

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Indices of the k greatest values, greatest first, ties to the lower index. */
export function topIndices(values: NumericArray, k: number): Uint32Array {
  const order = Array.from(values, (_, index) => index);
  order.sort((a, b) => values[b] - values[a] || a - b);
  return Uint32Array.from(order.slice(0, k));
}

/**
 * The K experts that stand highest, and their weights: those of a softmax over all experts or of a sigmoid each. `cacheAware` moves the choice,
 * not the weights. When normalising, the sum is held to at least 2^-14, as llama.cpp does.
 */
export function routeTopK(logits: NumericArray, gating: GatingNumbers, cacheAware?: CacheAwareRouting): Routing {
  const probabilities = gating.gating === 'sigmoid' ? Float64Array.from(logits, sigmoid) : softmax(logits);
  const scores = selectionScores(logits, gating);
  const exact = topIndices(scores, gating.nExpertsUsed);
  const ids = cacheAware ? topIndices(standings(scores, logits, gating, cacheAware), gating.nExpertsUsed) : exact;
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

/**
 * What each expert stands at in the choice, [E]. Softmax: its logit, whose order is that of the probabilities without their rounding. Sigmoid: its
 * weight and its bias; -Infinity outside the best groups.
 */
export function selectionScores(logits: NumericArray, { gating, selectionBias, groups }: GatingNumbers): Float64Array {
  if (gating !== 'sigmoid') return Float64Array.from(logits);
  const scores = Float64Array.from(logits, (logit, expert) => sigmoid(logit) + (selectionBias?.[expert] ?? 0));
  if (!groups) return scores;
  const size = scores.length / groups.count;
  const best = topIndices(groupScores(scores, groups), groups.used);
  return scores.map((score, expert) => (best.includes(Math.floor(expert / size)) ? score : -Infinity));
}

/** `scores [E]` → the sum of the two best of each group, [groups]. */
export function groupScores(scores: Float64Array, { count }: ExpertGroups): Float64Array {
  const size = scores.length / count;
  return Float64Array.from({ length: count }, (_, group) => {
    const [first, second] = scores.slice(group * size, (group + 1) * size).sort((a, b) => b - a);
    return first + second;
  });
}

/** With the margin of those that have a slot: on the logit, whatever the gating makes of it. Sums are rounded to f32 as a kernel does it. */
function standings(
  scores: Float64Array,
  logits: NumericArray,
  { gating }: GatingNumbers,
  cacheAware: CacheAwareRouting,
): Float64Array {
  const margin = Math.fround(cacheAware.margin);
  const gain = (logit: number) => (gating === 'sigmoid' ? sigmoid(logit + margin) - sigmoid(logit) : margin);
  return scores.map((score, expert) => (cacheAware.hasSlot(expert) ? Math.fround(score + gain(logits[expert])) : score));
}
