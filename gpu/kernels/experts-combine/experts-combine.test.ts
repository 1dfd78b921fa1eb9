/** `experts-combine` without a device: parameters, grid, program text. */
import { expect, test } from 'vitest';
import { expertsCombineGrid, expertsCombineProgram } from './experts-combine.ts';

test('one invocation per four elements', () => {
  expect(expertsCombineGrid(256, 1)).toEqual([1, 1, 1]);
  expect(expertsCombineGrid(2048, 512)).toEqual([4096, 1, 1]);
});

test('the gate counts only where there is a shared expert with one', () => {
  const shape = { modelWidth: 64, nExpertsUsed: 2, hasShared: true };
  expect(expertsCombineProgram(shape).code).toContain('const HAS_SHARED_GATE: bool = false;');
  const gated = expertsCombineProgram({ ...shape, sharedGate: { stride: 260, column: 256 } });
  expect(gated.code).toContain('const HAS_SHARED_GATE: bool = true;');
  expect(gated.code).toContain('const GATE_COL: u32 = 256u;');
});

test('WGSL', async () => {
  await expect(
    expertsCombineProgram({ modelWidth: 64, nExpertsUsed: 2, hasShared: true, sharedGate: { stride: 132, column: 128 } }).code,
  ).toMatchFileSnapshot('experts-combine.snap.wgsl');
});
