/** `router-topk` without a device: parameters, grid, program text. */
import { expect, test } from 'vitest';
import { routerTopkGrid, routerTopkProgram } from './router-topk.ts';

test('32 tokens per workgroup', () => {
  expect(routerTopkGrid(1)).toEqual([1, 1, 1]);
  expect(routerTopkGrid(33)).toEqual([2, 1, 1]);
});

test('WGSL', async () => {
  await expect(routerTopkProgram({ nExperts: 16, nExpertsUsed: 4, normalise: true, weightScale: 1 }).code).toMatchFileSnapshot(
    'router-topk.snap.wgsl',
  );
});
