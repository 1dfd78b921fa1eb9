/** Reference of `experts-sort`: a stable counting sort of (token, rank) pairs by expert. Pair p is token ⌊p / K⌋, rank p mod K. */

export interface SortedPairs {
  readonly counts: Uint32Array; // [E]
  /** [E + 1]: expert e owns sorted places offsets[e] ≤ i < offsets[e + 1]. */
  readonly offsets: Uint32Array;
  /** [T·K]: the pair at each sorted place. */
  readonly pairs: Uint32Array;
}

/** `ids [T, K]` → the pairs by expert, each expert's in rising order of pair. */
export function expertsSortRef(ids: ArrayLike<number>, nExperts: number): SortedPairs {
  const counts = new Uint32Array(nExperts);
  for (let pair = 0; pair < ids.length; pair++) counts[ids[pair]]++;
  const offsets = new Uint32Array(nExperts + 1);
  for (let expert = 0; expert < nExperts; expert++) offsets[expert + 1] = offsets[expert] + counts[expert];
  const next = offsets.slice();
  const pairs = new Uint32Array(ids.length);
  for (let pair = 0; pair < ids.length; pair++) pairs[next[ids[pair]]++] = pair;
  return { counts, offsets, pairs };
}
