/** The running averages behind the choice of reach. */
import { expect, test } from 'vitest';
import { LinearFit, RunMeter, steady } from './run-meter.ts';

const layer = { isCertain: false, nUsed: 2 };

test('a line through what was measured, never negative', () => {
  const fit = new LinearFit();
  expect([fit.atNone, fit.each]).toEqual([0, 1]);
  for (const x of [1, 2, 5, 3]) fit.add(x, 4 + 2 * x);
  expect(fit.each).toBeCloseTo(2);
  expect(fit.atNone).toBeCloseTo(4);
  const falling = new LinearFit();
  falling.add(1, 10);
  falling.add(4, 1);
  expect(falling.each).toBe(0);
  expect(falling.atNone).toBeGreaterThan(0);
  const same = new LinearFit();
  same.add(2, 6);
  same.add(2, 6);
  expect([same.atNone, same.each]).toEqual([0, 3]);
});

test('a first run that compiles is soon forgotten, a slow one among many hardly seen', () => {
  let average: number | null = null;
  for (const value of [10_000, ...Array<number>(40).fill(2)]) average = steady(average, value);
  expect(average).toBeLessThan(2.5);
  expect(steady(2, 1000)).toBeLessThan(2.2);
});

test('runs that waver about a time are taken for that time, not for the shortest', () => {
  const reachAfter = (layerMs: (run: number) => number) => {
    const meter = new RunMeter([layer, layer, layer, layer], 1);
    for (let token = 0; token < 64; token++) {
      for (let run = 0; run < 4; run++) meter.ran(1, 1 + layerMs(run));
      meter.fetched(1, 2);
      meter.committed([0, 1, 2, 3].map((index) => ({ layer: index, experts: [0, 1], missed: token % 2 ? [0] : [] })));
    }
    return meter.reach();
  };
  expect(reachAfter(() => 4)).toBe(1);
  expect(reachAfter((run) => (run % 2 ? 8 : 0))).toBe(1);
  expect(reachAfter(() => 0.1)).toBeGreaterThan(1);
});

test('later misses: named ones, those that were not, and names in vain', () => {
  const meter = new RunMeter([layer, layer, layer], 1);
  meter.forecast(
    new Map([
      [1, new Set([4, 5])],
      [2, new Set<number>()],
    ]),
  );
  meter.forecast(new Map([[2, new Set([1])]])); // a second run-through of the same token is not the forecast that is judged
  meter.committed([
    { layer: 0, experts: [1, 2], missed: [1] },
    { layer: 1, experts: [4, 6], missed: [4, 6] },
    { layer: 2, experts: [1, 2], missed: [1] },
  ]);
  expect(meter.totals).toEqual({ laterMisses: 3, laterMissesNamed: 1, namedInVain: 1 });
});

test('misses and costs decide the reach', () => {
  const run = (readbackMs: number, layerMs: number) => {
    const meter = new RunMeter(
      Array.from({ length: 8 }, () => layer),
      readbackMs,
    );
    for (let token = 0; token < 100; token++) {
      meter.ran(8, readbackMs + 8 * layerMs);
      meter.fetched(2, 1);
      meter.forecast(new Map([[1, new Set([0])]]));
      meter.committed([...Array(8).keys()].map((index) => ({ layer: index, experts: [0, 1], missed: [0] })));
    }
    expect(meter.layers[3].chance).toBeGreaterThan(0.9);
    return meter.reach();
  };
  expect(run(20, 0.1)).toBeGreaterThanOrEqual(8);
  expect(run(0.1, 20)).toBe(1);
});

test('a layer that has nothing when a token comes ends a run, whatever was seen', () => {
  const meter = new RunMeter([null, { isCertain: true, nUsed: 2 }, layer], 1);
  expect(meter.layers.map(({ chance }) => chance)).toEqual([0, 1, 0.5]);
  meter.committed([{ layer: 1, experts: [0, 1], missed: [] }]);
  expect(meter.layers[1].chance).toBe(1);
});
