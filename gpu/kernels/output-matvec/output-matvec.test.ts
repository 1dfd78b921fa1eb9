/** `output-matvec` without a device. */
import { expect, test } from 'vitest';
import { SNAPSHOT_VARIANT } from '../case-variant.ts';
import { outputMatvecKernel } from './output-matvec.ts';

test('WGSL of a later shard with bias', async () => {
  const { program, grid } = outputMatvecKernel({ type: 'Q4_0', cols: 64, rows: 20, firstRow: 12, bias: 5 }, SNAPSHOT_VARIANT);
  expect(grid).toEqual([1, 1, 1]); // 5 blocks of four rows;
  await expect(program.code).toMatchFileSnapshot('output-matvec.snap.wgsl');
});
