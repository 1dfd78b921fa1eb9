/** Whether a chunk of a prompt is asked which experts it needs. Engine and planner go by the same rule. Pure. */

/** Of fewer (token, rank) pairs per expert many need none, and a small read-back saves their bytes. */
const PAIRS_PER_EXPERT = 2;

export function isChunkAsked(nTokens: number, nUsed: number, nExperts: number): boolean {
  return nTokens * nUsed < PAIRS_PER_EXPERT * nExperts;
}
