/** The chunk uniform and the grid limit. */
import { expect, test } from 'vitest';
import { chunkBytes, grid } from './chunk.ts';

test('chunk bytes: tokens, start position, first row', () => {
  expect(Array.from(new Uint32Array(chunkBytes(5, 100).buffer))).toEqual([5, 100, 0, 0]);
  expect(Array.from(new Uint32Array(chunkBytes(16, 0, 48).buffer))).toEqual([16, 0, 48, 0]);
});

test('a grid has 1 to 65535 workgroups per dimension', () => {
  expect(grid(65535, 2)).toEqual([65535, 2, 1]);
  expect(() => grid(65536)).toThrow('grid 65536');
  expect(() => grid(1, 0)).toThrow('grid 1');
});
