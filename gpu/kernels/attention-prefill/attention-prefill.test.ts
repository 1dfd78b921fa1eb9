/** `attention-prefill` without a device: parameters, grid, program text. */
import { expect, test } from 'vitest';
import { attentionPrefillGrid, attentionPrefillProgram } from './attention-prefill.ts';

const shape = { nHeads: 8, nKvHeads: 2, headWidth: 64, contextTokens: 512, scale: 0.125 };

test('32 rows of (token, query head) per workgroup and key/value head', () => {
  expect(attentionPrefillGrid(shape, 1)).toEqual([2, 1, 1]);
  expect(attentionPrefillGrid(shape, 8)).toEqual([2, 1, 1]);
  expect(attentionPrefillGrid(shape, 9)).toEqual([2, 2, 1]);
  expect(attentionPrefillGrid({ nHeads: 9, nKvHeads: 3 }, 11)).toEqual([3, 2, 1]);
});

test('heads must be whole words of eight halves', () => {
  expect(() => attentionPrefillProgram({ ...shape, headWidth: 20 })).toThrow('head width 20');
});

test('WGSL', async () => {
  await expect(attentionPrefillProgram(shape).code).toMatchFileSnapshot('attention-prefill.snap.wgsl');
});
