/** `rope-append` without a device: parameters, grid, program text. */
import { expect, test } from 'vitest';
import { ropeAppendGrid, ropeAppendProgram, type RopeAppendShape } from './rope-append.ts';

const shape: RopeAppendShape = {
  nHeads: 8,
  nKvHeads: 2,
  headWidth: 64,
  contextTokens: 512,
  kvType: 'f16',
  qkNorm: 'per-head',
  qNorm: 100,
  kNorm: 164,
  epsilon: 1e-6,
  pairing: 'halves',
  ropeDims: 64,
  ropeOffset: 512,
};

test('a workgroup per token and norm group: heads, or the three rows', () => {
  expect(ropeAppendGrid(shape, 5)).toEqual([12, 5, 1]);
  expect(ropeAppendGrid({ ...shape, qkNorm: 'none' }, 5)).toEqual([12, 5, 1]);
  expect(ropeAppendGrid({ ...shape, qkNorm: 'whole-row' }, 5)).toEqual([3, 5, 1]);
});

test('without norm its offsets are not in the text: layers share a program', () => {
  const plain = { ...shape, qkNorm: 'none' } as const;
  expect(ropeAppendProgram({ ...plain, qNorm: -1, kNorm: -1 }).key).toBe(ropeAppendProgram(plain).key);
});

test('the clamp is off unless the model has one', () => {
  expect(ropeAppendProgram(shape).code).toContain('const CLAMP: f32 = 3.4e+38f;');
  expect(ropeAppendProgram({ ...shape, clampQkv: 8 }).code).toContain('const CLAMP: f32 = 8.0f;');
});

test('WGSL', async () => {
  await expect(ropeAppendProgram(shape).code).toMatchFileSnapshot('rope-append.snap.wgsl');
});
