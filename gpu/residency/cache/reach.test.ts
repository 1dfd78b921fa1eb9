/** The cost model by hand on few layers, and its choices at the ends of the scale. */
import { expect, test } from 'vitest';
import { bestReach, expectedTokenMs, stopAfter, type LayerMisses, type ReachCosts } from './reach.ts';

const COSTS: ReachCosts = { layerMs: 1, readbackMs: 10, fetchMs: 3, expertMs: 2 };
const NONE = { found: 0, wasted: 0 };
const layers = (n: number, chance: number, lacked = 1): LayerMisses[] => Array.from({ length: n }, () => ({ chance, lacked }));

test('no misses: one run to the end', () => {
  expect(expectedTokenMs(5, layers(4, 0), COSTS, NONE)).toBe(5 + 10);
  expect(bestReach(layers(4, 0.01), COSTS, NONE)).toBe(5);
});

test('two layers by hand', () => {
  const one = [{ chance: 0.5, lacked: 2 }];
  // −1 → end: 2 layers and a read-back; half of the time a fetch of two experts, then layer 0 to the end.
  expect(expectedTokenMs(2, one, COSTS, NONE)).toBeCloseTo(2 + 10 + 0.5 * (3 + 4 + 1 + 10));
  // Asking at layer 0: one layer and a read-back, perhaps the fetch, then the rest in any case.
  expect(expectedTokenMs(1, one, COSTS, NONE)).toBeCloseTo(1 + 10 + 0.5 * (3 + 4) + 1 + 10);
});

test('a forecast saves the later miss and pays for what it names in vain', () => {
  const nearlyOne = 1 - 1e-12;
  const two = [
    { chance: nearlyOne, lacked: 1 },
    { chance: nearlyOne, lacked: 1 },
  ];
  const blind = expectedTokenMs(3, two, COSTS, NONE);
  expect(blind).toBeCloseTo(3 + 10 + 5 + (2 + 10) + 5 + (1 + 10));
  const seeing = expectedTokenMs(3, two, COSTS, { found: 1, wasted: 0.5 });
  expect(seeing).toBeCloseTo(3 + 10 + 3 + 2 * (1 + 1.5) + (2 + 10));
});

test('dear read-backs: run to the end and forecast; dear layers: ask at each', () => {
  const missing = layers(8, 0.8, 2);
  const good = { found: 0.8, wasted: 0.3 };
  expect(bestReach(missing, { layerMs: 0.2, readbackMs: 3, fetchMs: 0.5, expertMs: 0.5 }, good)).toBeGreaterThanOrEqual(8);
  expect(bestReach(missing, { layerMs: 5, readbackMs: 0.1, fetchMs: 0.1, expertMs: 0.5 }, good)).toBe(1);
});

test('layers that cannot miss are never stopped at', () => {
  const some = [0, 0.5, 0, 0, 0.5].map((chance) => ({ chance, lacked: 1 }));
  expect(stopAfter(-1, 1, some)).toBe(1);
  expect(stopAfter(1, 1, some)).toBe(4);
  expect(stopAfter(4, 1, some)).toBe(5);
  const certain = [0, 0.5, 1, 0.5].map((chance) => ({ chance, lacked: 1 }));
  expect(stopAfter(-1, 9, certain)).toBe(2);
  expect(stopAfter(2, 9, certain)).toBe(4);
});
