/** `experts-matmul-up` without a device: parameters, grid, program text. */
import { expect, test } from 'vitest';
import { expertMatmulParams } from '../prefill-shared/expert-slot.ts';
import { expertsMatmulUpGrid, expertsMatmulUpProgram } from './experts-matmul-up.ts';

const words = (bytes: Uint8Array) => Array.from(new Uint32Array(bytes.buffer));

test('parameters in the order of the struct', () => {
  const params = expertMatmulParams({
    tableOffset: 60,
    firstShard: 2,
    slotStrideBytes: 4096,
    offsetsVec4: [0, 90],
    rows: 40,
    cols: 256,
    nExpertsUsed: 4,
  });
  expect(words(params)).toEqual([60, 2, 256, 0, 90, 40, 8, 4]);
});

test('32 rows of the expert by every tile that the sort can leave', () => {
  expect(expertsMatmulUpGrid(40, 8, 2)).toEqual([2, 2, 1]);
  expect(expertsMatmulUpGrid(768, 128, 4096)).toEqual([24, 384, 1]);
});

test('types: a switch only where gate and up differ', () => {
  expect(expertsMatmulUpProgram('Q4_0', 'Q4_0').code).not.toContain('switch');
  expect(expertsMatmulUpProgram('Q4_K', 'Q6_K').code).toContain('switch');
});

test('WGSL', async () => {
  await expect(expertsMatmulUpProgram('F32', 'F32').code).toMatchFileSnapshot('experts-matmul-up.snap.wgsl');
});
