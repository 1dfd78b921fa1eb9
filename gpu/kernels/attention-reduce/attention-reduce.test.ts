/** `attention-reduce` without a device. */
import { expect, test } from 'vitest';
import { attentionReduceKernel } from './attention-reduce.ts';

test('WGSL', async () => {
  const { program, grid } = attentionReduceKernel({ nHeads: 4, headWidth: 64, contextTokens: 600 });
  expect(grid).toEqual([2, 1, 1]);
  await expect(program.code).toMatchFileSnapshot('attention-reduce.snap.wgsl');
});
