/** `head-matvec` without a device. */
import { expect, test } from 'vitest';
import { SNAPSHOT_VARIANT } from '../case-variant.ts';
import { headMatvecKernel, logitGroupsBytes } from './head-matvec.ts';

test('a worker takes whole groups', () => {
  const grid = (rows: number) => headMatvecKernel({ type: 'Q6_K', modelWidth: 256, epsilon: 1e-6 }, rows, SNAPSHOT_VARIANT).grid;
  expect(grid(16 * 8)).toEqual([1, 1, 1]);
  expect(grid(16 * 8 + 1)).toEqual([2, 1, 1]);
  expect(grid(151936)).toEqual([256, 1, 1]);
  expect(logitGroupsBytes(33)).toBe(48);
});

test('WGSL', async () => {
  const { program } = headMatvecKernel({ type: 'Q6_K', modelWidth: 256, epsilon: 1e-6 }, 100, SNAPSHOT_VARIANT);
  await expect(program.code).toMatchFileSnapshot('head-matvec.snap.wgsl');
});
