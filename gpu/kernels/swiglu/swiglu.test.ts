/** `swiglu` without a device: parameters, grid, program text. */
import { expect, test } from 'vitest';
import { swigluGrid, swigluProgram } from './swiglu.ts';

test('one invocation per four elements', () => {
  expect(swigluGrid(256, 1)).toEqual([1, 1, 1]);
  expect(swigluGrid(36, 11)).toEqual([2, 1, 1]); // 99 invocations
  expect(swigluGrid(14_336, 512)).toEqual([28_672, 1, 1]);
});

test('WGSL', async () => {
  await expect(swigluProgram(64, 132).code).toMatchFileSnapshot('swiglu.snap.wgsl');
});
