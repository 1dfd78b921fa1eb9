/** How the runs of `bench` become its figures. */
import { expect, test } from 'vitest';
import { median, summarise, type BenchRun } from './bench.ts';

const run = (elapsedMs: number): BenchRun => ({
  prefill: { tokens: 100, elapsedMs: 2 * elapsedMs },
  experts: { hits: 60, missesFromRam: 15, missesFromDisk: 5, substitutes: 8, resumes: 20 },
  decode: {
    tokens: 10,
    elapsedMs,
    encodeMs: 5,
    dispatches: 150,
    readbacks: 5,
    readbackBytes: 160,
    weightBytesTouched: 1010,
    weightBytesRequired: 1000,
  },
});

test('the median of odd and even counts', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
});

test('counts are per token, rates are medians of the runs', () => {
  expect(summarise([run(1000), run(200), run(500)])).toEqual({
    expertHitRate: 0.75,
    routingAgreement: 0.9,
    expertMissesFromRamPerToken: 1.5,
    expertMissesFromDiskPerToken: 0.5,
    resumesPerToken: 2,
    dispatchesPerToken: 15,
    readbacksPerToken: 0.5,
    readbackBytesPerToken: 16,
    weightBytesTouchedPerToken: 101,
    weightBytesRequiredPerToken: 100,
    weightBytesTouchedOverRequired: 1.01,
    encodeMsPerToken: 0.5,
    decodeMsPerToken: 50,
    decodeTokensPerSecond: 20,
    prefillTokensPerSecond: 100,
  });
});

test('a model whose experts all have slots counts no uses, and hits always', () => {
  const resident = { ...run(500), experts: { hits: 0, missesFromRam: 0, missesFromDisk: 0, substitutes: 0, resumes: 0 } };
  expect(summarise([resident])).toMatchObject({ expertHitRate: 1, routingAgreement: 1, resumesPerToken: 0 });
});
