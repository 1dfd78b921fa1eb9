/** Distances between two sets of logits [n, V]. */

import { nmse } from '../../gpu/reference/nmse.ts';

type Numbers = ArrayLike<number>;

/** `nmse` of each position, the first argument being the truth. */
export function nmsePerPosition(truth: Numbers, other: Numbers, vocabularySize: number): number[] {
  const nPositions = truth.length / vocabularySize;
  return Array.from({ length: nPositions }, (_, i) => nmse(truth, other, i * vocabularySize, (i + 1) * vocabularySize));
}

/** The most likely id of each position, ties to the lower one. */
export function topOnePerPosition(logits: Numbers, vocabularySize: number): number[] {
  const out: number[] = [];
  for (let start = 0; start < logits.length; start += vocabularySize) {
    let best = start;
    for (let i = start; i < start + vocabularySize; i++) if (logits[i] > logits[best]) best = i;
    out.push(best - start);
  }
  return out;
}

export interface Spread {
  readonly median: number;
  readonly worst: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  if (values.some(Number.isNaN)) return { median: NaN, worst: NaN };
  return { median: sorted[Math.floor(sorted.length / 2)], worst: sorted[sorted.length - 1] };
}

/** Share of values that are at most `bar`; NaN is not. */
export function shareWithin(values: readonly number[], bar: number): number {
  return values.filter((value) => value <= bar).length / values.length;
}
