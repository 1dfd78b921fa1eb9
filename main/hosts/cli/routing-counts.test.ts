import { expect, test } from 'vitest';
import { entropyBits, RoutingCounts } from './routing-counts.ts';

test('entropy: even, one-sided, none', () => {
  expect(entropyBits([5, 5, 5, 5])).toBeCloseTo(2, 12);
  expect(entropyBits([0, 7, 0])).toBe(0);
  expect(entropyBits([1, 3])).toBeCloseTo(0.811278, 6);
  expect(entropyBits([0, 0])).toBe(0);
});

test('records [layers, tokens, K] are counted per layer and given back per token', () => {
  const routing = new RoutingCounts(2, 4, 2);
  const rows = routing.add(Uint16Array.of(0, 1, 2, 1, 0, 3, 3, 0, 1, 3, 3, 2), 3);
  expect(rows).toEqual([
    [
      [0, 1],
      [3, 0],
    ],
    [
      [2, 1],
      [1, 3],
    ],
    [
      [0, 3],
      [3, 2],
    ],
  ]);
  routing.add(Uint16Array.of(2, 0, 3, 1), 1);
  expect(routing.tokens).toBe(4);
  expect(routing.layers().map(({ counts, unused }) => ({ counts, unused }))).toEqual([
    { counts: [3, 2, 2, 1], unused: 0 },
    { counts: [1, 2, 1, 4], unused: 0 },
  ]);
});

test('experts that were never used are counted', () => {
  const routing = new RoutingCounts(1, 5, 1);
  routing.add(Uint16Array.of(2, 2), 2);
  expect(routing.layers()).toEqual([{ counts: [0, 0, 2, 0, 0], entropyBits: 0, unused: 4 }]);
});
