/** `embed-rows` without a device: parameters, grid, program text. */
import { expect, test } from 'vitest';
import { embedRowsGrid, embedRowsParams, embedRowsProgram } from './embed-rows.ts';

const words = (bytes: Uint8Array) => Array.from(new Uint32Array(bytes.buffer));

test('parameters in the order of the struct', () => {
  expect(words(embedRowsParams({ rows: 30, first_row: 20 }))).toEqual([20, 30, 0, 0]);
});

test('one invocation per unit of 32 weights', () => {
  expect(embedRowsGrid(64, 1)).toEqual([1, 1, 1]);
  expect(embedRowsGrid(4096, 512)).toEqual([1024, 1, 1]);
  expect(embedRowsGrid(96, 43)).toEqual([3, 1, 1]); // 129 units
});

test('one program per type, width and scale', () => {
  expect(embedRowsProgram('Q4_0', 64, 1).key).toBe(embedRowsProgram('Q4_0', 64, 1).key);
  expect(embedRowsProgram('Q4_0', 64, 1).key).not.toBe(embedRowsProgram('Q4_1', 64, 1).key);
  expect(embedRowsProgram('Q4_0', 64, 1).key).not.toBe(embedRowsProgram('Q4_0', 64, 12).key);
});

test('WGSL', async () => {
  await expect(embedRowsProgram('F32', 96, 1).code).toMatchFileSnapshot('embed-rows.snap.wgsl');
});
