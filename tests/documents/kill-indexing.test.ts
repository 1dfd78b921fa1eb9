import { expect, test } from 'vitest';
import { killIndexing } from './kill-indexing.ts';

test('killed while it indexes, nothing is lost and nothing is there twice', { timeout: 120_000 }, async () => {
  const seed = 3;
  console.log(`seed ${seed}`);
  const report = await killIndexing(3, seed);
  expect(report.faults).toEqual([]);
  expect(report.kills).toBeGreaterThan(0);
  expect(report.documents).toBe(9);
});
