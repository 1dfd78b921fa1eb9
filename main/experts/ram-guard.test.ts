/** The guard over free RAM: gives back what is short at once, takes back slowly, never more than the plan gave. */
import { expect, test } from 'vitest';
import { ramGuardStep, RamGuard, type RamGuardState } from './ram-guard.ts';

const GIB = 2 ** 30;
const PLAN = 4 * GIB;
const ram = (freeGib: number) => ({ freeBytes: freeGib * GIB, totalBytes: 20 * GIB }); // floor 4 GiB, comfort 5

test('what is short of the floor leaves the pool at once', () => {
  const start: RamGuardState = { limitBytes: PLAN, calmSeconds: 3 };
  expect(ramGuardStep(start, ram(3), PLAN, PLAN)).toEqual({ limitBytes: 3 * GIB, calmSeconds: 0 });
  expect(ramGuardStep(start, ram(3), 2 * GIB, PLAN).limitBytes).toBe(GIB); // measured from what it holds, not from what it might
  expect(ramGuardStep(start, ram(0), GIB, PLAN).limitBytes).toBe(0);
});

test('between floor and comfort nothing changes', () => {
  expect(ramGuardStep({ limitBytes: GIB, calmSeconds: 5 }, ram(4.5), GIB, PLAN)).toEqual({ limitBytes: GIB, calmSeconds: 0 });
});

test('after ten calm seconds it takes back half of what is spare, up to the plan', () => {
  let state: RamGuardState = { limitBytes: GIB, calmSeconds: 0 };
  for (let second = 0; second < 9; second++) state = ramGuardStep(state, ram(7), GIB, PLAN);
  expect(state).toEqual({ limitBytes: GIB, calmSeconds: 9 });
  state = ramGuardStep(state, ram(7), GIB, PLAN);
  expect(state).toEqual({ limitBytes: 2 * GIB, calmSeconds: 0 });
  for (let second = 0; second < 100; second++) state = ramGuardStep(state, ram(19), GIB, PLAN);
  expect(state.limitBytes).toBe(PLAN);
});

test('pressure that comes and goes never drives the limit above the plan or below nothing', () => {
  let state: RamGuardState = { limitBytes: PLAN, calmSeconds: 0 };
  let seed = 12345;
  for (let second = 0; second < 2000; second++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    state = ramGuardStep(state, ram((seed / 2 ** 32) * 20), Math.min(state.limitBytes, PLAN), PLAN);
    expect(state.limitBytes, `second ${second}`).toBeGreaterThanOrEqual(0);
    expect(state.limitBytes, `second ${second}`).toBeLessThanOrEqual(PLAN);
  }
});

test('it asks the engine only under pressure, tells it what changed, and looks no more once stopped', async () => {
  const limits: number[] = [];
  let look = () => {};
  let free = 10;
  let stopped = false;
  const guard = new RamGuard(PLAN, {
    readRam: () => ram(free),
    limit: async (limitBytes) => {
      limits.push(limitBytes);
      return Math.min(limitBytes, 3 * GIB); // what it holds
    },
    everySecond: (each) => ((look = each), () => void (stopped = true)),
  });
  const second = async () => {
    look();
    await new Promise((resolve) => setImmediate(resolve));
  };
  await second();
  expect(limits).toEqual([]);
  free = 3.5;
  await second();
  expect(limits).toEqual([PLAN, 2.5 * GIB]); // asked what it holds, then told to give up what is short
  guard.stop();
  expect(stopped).toBe(true);
});
