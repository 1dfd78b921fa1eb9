/** `embed` without a device. */
import { expect, test } from 'vitest';
import { embedKernel, embedParams } from './embed.ts';

test('one invocation per unit; parameters of a shard', () => {
  expect(embedKernel({ type: 'Q8_0', modelWidth: 2048, scale: 1 }).grid).toEqual([2, 1, 1]);
  expect(Array.from(new Uint32Array(embedParams({ first_row: 7, n_rows: 9 }).buffer))).toEqual([7, 9, 0, 0]);
  expect(() => embedKernel({ type: 'F32', modelWidth: 40, scale: 1 })).toThrow('units of 32');
});

test('WGSL', async () => {
  await expect(embedKernel({ type: 'Q8_0', modelWidth: 64, scale: 1 }).program.code).toMatchFileSnapshot('embed.snap.wgsl');
});
