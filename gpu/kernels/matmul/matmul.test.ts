/** `matmul` without a device: parameters, grid, program text. */
import { expect, test } from 'vitest';
import { matmulGrid, matmulParams, matmulProgram } from './matmul.ts';

const words = (bytes: Uint8Array) => Array.from(new Uint32Array(bytes.buffer));

test('parameters: what is not given follows from the shape', () => {
  expect(words(matmulParams({ rows: 70, cols: 256 }))).toEqual([70, 8, 0, 64, 70, 0, 0xffffffff, 0]);
});

test('parameters: a part of a fused region with bias and residual', () => {
  const shape = { rows: 10, cols: 64, baseVec4: 48, xStride: 128, outStride: 30, outColumn: 20, bias: 5, residual: true };
  expect(words(matmulParams(shape))).toEqual([10, 2, 48, 32, 30, 20, 5, 1]);
});

test('64 rows by 16 tokens per workgroup; the largest vocabulary stays below the grid limit', () => {
  expect(matmulGrid(64, 16)).toEqual([1, 1, 1]);
  expect(matmulGrid(65, 17)).toEqual([2, 2, 1]);
  expect(matmulGrid(262_144, 512)).toEqual([4096, 32, 1]);
  expect(() => matmulGrid(2 ** 23, 1)).toThrow('grid');
});

test('WGSL', async () => {
  await expect(matmulProgram('F32').code).toMatchFileSnapshot('matmul.snap.wgsl');
});
