/** Reference of `router-topk`: the choice of experts for each token of a chunk. */
import { routeTopK, type GatingNumbers } from '../../reference/ops/routing.ts';
import type { NumericArray } from '../../reference/ops/types.ts';

/** `logits [T, E]` → `ids [T, K]` and `weights [T, K]` by rank. */
export function routerTopkRef(
  logits: NumericArray,
  nExperts: number,
  gating: GatingNumbers,
): { ids: Uint32Array; weights: Float64Array } {
  const nTokens = logits.length / nExperts;
  const ids = new Uint32Array(nTokens * gating.nExpertsUsed);
  const weights = new Float64Array(ids.length);
  for (let token = 0; token < nTokens; token++) {
    const routing = routeTopK(logits.subarray(token * nExperts, (token + 1) * nExperts), gating);
    ids.set(routing.ids, token * gating.nExpertsUsed);
    weights.set(routing.weights, token * gating.nExpertsUsed);
  }
  return { ids, weights };
}
