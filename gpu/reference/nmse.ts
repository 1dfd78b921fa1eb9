/** Σ (truth − other)² / Σ truth² over [start, end): how far a computation is from the reference. NaN where either holds one. */
export function nmse(truth: ArrayLike<number>, other: ArrayLike<number>, start = 0, end = truth.length): number {
  let [difference, size] = [0, 0];
  for (let i = start; i < end; i++) {
    difference += (truth[i] - other[i]) ** 2;
    size += truth[i] ** 2;
  }
  return difference / size;
}
