/** `attention-prefill` without a device: parameters, grid, program text. */
import { expect, test } from 'vitest';
import { attentionPrefillGrid, attentionPrefillParams, attentionPrefillProgram } from './attention-prefill.ts';

const shape = { nHeads: 8, nKvHeads: 2, headWidth: 64, contextTokens: 512, kvType: 'f16', scale: 0.125 } as const;

test('32 rows of (token, query head) per workgroup and key/value head', () => {
  expect(attentionPrefillGrid(shape, 1)).toEqual([2, 1, 1]);
  expect(attentionPrefillGrid(shape, 8)).toEqual([2, 1, 1]);
  expect(attentionPrefillGrid(shape, 9)).toEqual([2, 2, 1]);
  expect(attentionPrefillGrid({ nHeads: 9, nKvHeads: 3 }, 11)).toEqual([3, 2, 1]);
});

test('parameters in the order of the struct', () => {
  const bytes = attentionPrefillParams(shape);
  expect(Array.from(new Uint32Array(bytes.buffer)).slice(0, 5)).toEqual([4, 2, 8, 512, 0]);
  const q8 = new Uint32Array(attentionPrefillParams({ ...shape, kvType: 'q8_0' }).buffer);
  expect(q8[4]).toBe((2 * 512 * 64) / 4); // behind the numbers
  expect(new Float32Array(bytes.buffer)[5]).toBe(0.125);
  expect(Array.from(new Uint32Array(bytes.buffer)).slice(6)).toEqual([0xffffffff, 0]);
  const windowed = attentionPrefillParams({ ...shape, windowTokens: 128, sinks: 320 });
  expect(Array.from(new Uint32Array(windowed.buffer)).slice(6)).toEqual([128, 320]);
});

test('heads must be whole words of eight halves', () => {
  expect(() => attentionPrefillParams({ ...shape, headWidth: 20 })).toThrow('head width 20');
});

test('WGSL', async () => {
  await expect(attentionPrefillProgram('f16').code).toMatchFileSnapshot('attention-prefill.snap.wgsl');
});
