/** The statistic of everything that is measured here for predictions: other programs make rounds longer, but some of them will be there later, too. Not of nothing. */
export function lowerQuartile(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 2];
}
