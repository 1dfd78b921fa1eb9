/** `experts-sort` without a device: parameters, grid, program text. */
import { expect, test } from 'vitest';
import { expertsSortProgram, maxTiles, TILE_ROWS } from './experts-sort.ts';

test('maxTiles is reached by the worst routing and never exceeded', () => {
  expect(maxTiles(8, 1)).toBe(1);
  expect(maxTiles(8, 6)).toBe(6); // six experts with one pair each
  // One pair on each of 7 experts and 2 full tiles and a pair on the last: 7 + 3 tiles.
  const counts = [1, 1, 1, 1, 1, 1, 1, 2 * TILE_ROWS + 1];
  const nPairs = counts.reduce((sum, count) => sum + count, 0);
  const needed = counts.reduce((sum, count) => sum + Math.ceil(count / TILE_ROWS), 0);
  expect(needed).toBe(10);
  expect(maxTiles(8, nPairs)).toBeGreaterThanOrEqual(needed);
});

test('lanes: a multiple of 32 that covers the experts, 256 at most', () => {
  expect(expertsSortProgram(8, 2).code).toContain('const LANES: u32 = 32u;');
  expect(expertsSortProgram(60, 4).code).toContain('const LANES: u32 = 64u;');
  expect(expertsSortProgram(512, 10).code).toContain('const LANES: u32 = 256u;');
});

test('WGSL', async () => {
  await expect(expertsSortProgram(60, 4).code).toMatchFileSnapshot('experts-sort.snap.wgsl');
});
