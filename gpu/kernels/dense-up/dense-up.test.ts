/** `dense-up` without a device. */
import { expect, test } from 'vitest';
import { SNAPSHOT_VARIANT } from '../case-variant.ts';
import { denseUpKernel } from './dense-up.ts';

test('WGSL', async () => {
  const shape = { modelWidth: 64, width: 96, types: ['Q4_1', 'Q4_1'], basesVec4: [0, 240], norm: 64, epsilon: 1e-5 } as const;
  const { program, grid } = denseUpKernel(shape, SNAPSHOT_VARIANT);
  expect(grid).toEqual([6, 1, 1]);
  await expect(program.code).toMatchFileSnapshot('dense-up.snap.wgsl');
});
