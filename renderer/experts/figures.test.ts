import { expect, test } from 'vitest';
import type { ExpertActivity } from '../../main/contract/experts.ts';
import { heat, layerFigures, memoryParts, tierShares } from './figures.ts';

const activity = (change: Partial<ExpertActivity>): ExpertActivity => ({
  tokens: 0,
  nUsed: 2,
  layers: [],
  usesByDepth: [],
  hits: 0,
  missesFromRam: 0,
  missesFromDisk: 0,
  substitutes: 0,
  gpuMemory: { weightsBytes: 0, expertsBytes: 0, kvBytes: 0, activationsBytes: 0, stagingBytes: 0, totalBytes: 0 },
  ramPoolBytes: 0,
  ...change,
});

test('a layer: who was used, who most, how unevenly', () => {
  expect(layerFigures({ layer: 3, uses: [0, 6, 2, 0] })).toEqual({
    layer: 3,
    nExperts: 4,
    used: 2,
    busiest: 1,
    busiestShare: 0.75,
    imbalance: 3,
  });
  expect(layerFigures({ layer: 0, uses: [5, 5] })).toMatchObject({ imbalance: 1, busiestShare: 0.5 });
  expect(layerFigures({ layer: 0, uses: [0, 0] })).toMatchObject({ imbalance: 1, busiestShare: 0, used: 0 });
});

test('heat grows with uses, ends at four times an even share, and is nothing without tokens', () => {
  // 8 tokens, 2 of 16 experts: an even share is one use.
  expect([0, 1, 4, 9].map((count) => heat(count, 8, 2, 16))).toEqual([0, 0.5, 1, 1]);
  expect(heat(0, 0, 2, 16)).toBe(0);
});

test('shares of the tiers add to 100', () => {
  expect(tierShares(activity({}))).toBeNull();
  const shares = tierShares(activity({ hits: 2, missesFromRam: 2, missesFromDisk: 2 }))!;
  expect(shares).toEqual({ gpu: 33.4, ram: 33.3, disk: 33.3 });
});

test('memory leaves out what is nothing', () => {
  const gpuMemory = { weightsBytes: 10, expertsBytes: 30, kvBytes: 5, activationsBytes: 0, stagingBytes: 0, totalBytes: 45 };
  const { gpu, ram } = memoryParts(activity({ gpuMemory }));
  expect(gpu.map(({ label }) => label)).toEqual(['Experts', 'Other weights', 'Context (KV)']);
  expect(ram).toEqual([]);
});
