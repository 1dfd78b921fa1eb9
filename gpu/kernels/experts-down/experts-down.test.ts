/** `experts-down` without a device. */
import { expect, test } from 'vitest';
import { SNAPSHOT_VARIANT } from '../case-variant.ts';
import { expertRowsLayout } from '../experts-up/experts-up.ts';
import { expertsDownKernel, type ExpertsDownShape } from './experts-down.ts';

const SHAPE: ExpertsDownShape = {
  modelWidth: 64,
  nExperts: 8,
  nExpertsUsed: 2,
  width: 96,
  down: { type: 'Q8_0', offsetVec4: 432 },
  slotStrideBytes: 10496,
  nShards: 1,
  rows: expertRowsLayout(192, 2, 4),
  shared: { width: 128, type: 'Q4_0', hasOutputGate: true },
};

test('WGSL with a shared expert', async () => {
  const { program, grid } = expertsDownKernel(SHAPE, SNAPSHOT_VARIANT);
  expect(grid).toEqual([2, 1, 1]);
  await expect(program.code).toMatchFileSnapshot('experts-down.snap.wgsl');
});

test('biases and a shared expert would take the same binding', () => {
  expect(() => expertsDownKernel({ ...SHAPE, biases: 0 }, SNAPSHOT_VARIANT)).toThrow('the same binding');
  const { code } = expertsDownKernel({ ...SHAPE, shared: undefined, biases: 64 }, SNAPSHOT_VARIANT).program;
  expect(code).toContain('const HAS_BIASES: bool = true;\nconst BIAS_AT: u32 = 64u;');
});
