/** The largest of `least` … `most` that `fits`, which holds for all below one that does. */
export function largest(least: number, most: number, fits: (n: number) => boolean): number | null {
  if (least > most || !fits(least)) return null;
  let [low, high] = [least, most];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
