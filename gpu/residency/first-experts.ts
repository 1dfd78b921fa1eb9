/** Who has a slot before anything was asked: pure. */

/** The `nSlots` most used of `nExperts` by earlier counts, ties to the lower id; without counts the first ones. */
export function firstExperts(nExperts: number, nSlots: number, counts: ArrayLike<number> | undefined): number[] {
  const all = Array.from({ length: nExperts }, (_, expert) => expert);
  if (counts) all.sort((a, b) => (counts[b] ?? 0) - (counts[a] ?? 0) || a - b);
  return all.slice(0, nSlots);
}
