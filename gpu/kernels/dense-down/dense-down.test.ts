/** `dense-down` without a device. */
import { expect, test } from 'vitest';
import { SNAPSHOT_VARIANT } from '../case-variant.ts';
import { denseDownKernel } from './dense-down.ts';

test('WGSL', async () => {
  const { program, grid } = denseDownKernel({ type: 'BF16', cols: 96, rows: 64, firstRow: 0 }, SNAPSHOT_VARIANT);
  expect(grid).toEqual([2, 1, 1]);
  await expect(program.code).toMatchFileSnapshot('dense-down.snap.wgsl');
});
