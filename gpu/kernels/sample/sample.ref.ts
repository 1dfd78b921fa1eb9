/**
 * Reference of `sample`. Order of filters: temperature, top-k, top-p, min-p, then one draw. Probabilities are always those of the
 * whole vocabulary at that temperature; a filter removes candidates and renormalises nothing until the draw.
 */
import { drawUnit } from '../../reference/ops/random.ts';
import { softmax, topIndices } from '../../reference/ops/routing.ts';
import type { NumericArray } from '../../reference/ops/types.ts';
import { sampleGreedyRef } from '../sample-greedy/sample-greedy.ref.ts';

export const MAX_CANDIDATES = 256;

/** The fields and their ranges are those of `SamplingSettings` (gpu/runtime/types.ts). */
export interface SampleParams {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly seed: number;
}

export interface SampleCandidates {
  /** Most likely first, ties to the lower id. Never empty. */
  readonly ids: Uint32Array;
  /** Of the whole vocabulary's distribution at the temperature. */
  readonly probabilities: Float64Array;
}

/**
 * 1. p = softmax(logits / temperature) over all of V. 2. The min(topK or 256, 256, V) most likely. 3. top-p: a candidate stays while the mass
 * of those before it is < topP. 4. min-p: a candidate stays when p ≥ minP · p of the first. The first one always stays.
 */
export function sampleCandidatesRef(logits: NumericArray, params: SampleParams): SampleCandidates {
  const all = softmax(Float64Array.from(logits, (logit) => logit / params.temperature));
  const limit = params.topK === 0 ? MAX_CANDIDATES : Math.min(params.topK, MAX_CANDIDATES);
  const top = topIndices(logits, limit);
  const kept: number[] = [];
  let massBefore = 0;
  for (const id of top) {
    const staysByTopP = params.topP >= 1 || massBefore < params.topP;
    const staysByMinP = all[id] >= params.minP * all[top[0]];
    if (kept.length > 0 && !(staysByTopP && staysByMinP)) break; // probabilities fall: no later one stays either
    kept.push(id);
    massBefore += all[id];
  }
  return { ids: Uint32Array.from(kept), probabilities: Float64Array.from(kept, (id) => all[id]) };
}

/**
 * Inverse CDF: with u = drawUnit(seed, position) in [0, 1) and M the mass of the candidates, the first candidate whose cumulative
 * mass is > u · M; the last one if rounding leaves none. `position` is the absolute position that the new token will have.
 */
export function sampleRef(logits: NumericArray, params: SampleParams, position: number): number {
  if (params.temperature === 0) return sampleGreedyRef(logits);
  const { ids, probabilities } = sampleCandidatesRef(logits, params);
  const mass = probabilities.reduce((sum, probability) => sum + probability, 0);
  const target = drawUnit(params.seed, position) * mass;
  let cumulative = 0;
  for (let i = 0; i < ids.length; i++) {
    cumulative += probabilities[i];
    if (cumulative > target) return ids[i];
  }
  return ids[ids.length - 1];
}
