/** `experts-matmul-down` without a device: parameters, grid, program text. */
import { expect, test } from 'vitest';
import { expertMatmulParams } from '../prefill-shared/expert-slot.ts';
import { expertsMatmulDownGrid, expertsMatmulDownProgram } from './experts-matmul-down.ts';

const words = (bytes: Uint8Array) => Array.from(new Uint32Array(bytes.buffer));

test('parameters: down has one place in the slot', () => {
  const shape = {
    tableOffset: 0,
    firstShard: 0,
    slotStrideBytes: 512,
    offsetsVec4: [7] as const,
    rows: 64,
    cols: 32,
    nExpertsUsed: 2,
  };
  expect(words(expertMatmulParams(shape))).toEqual([0, 0, 32, 7, 0, 64, 1, 2]);
});

test('64 rows of the expert by every tile that the sort can leave', () => {
  expect(expertsMatmulDownGrid(65, 8, 2)).toEqual([2, 2, 1]);
});

test('WGSL', async () => {
  await expect(expertsMatmulDownProgram('F32').code).toMatchFileSnapshot('experts-matmul-down.snap.wgsl');
});
