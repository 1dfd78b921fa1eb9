/** `rms-norm` without a device: parameters, grid, program text. */
import { expect, test } from 'vitest';
import { rmsNormGrid, rmsNormProgram } from './rms-norm.ts';

test('one workgroup per token', () => {
  expect(rmsNormGrid(1)).toEqual([1, 1, 1]);
  expect(rmsNormGrid(512)).toEqual([512, 1, 1]);
});

test('the epsilon is written so that it reads back as the same f32', () => {
  expect(rmsNormProgram(64, 0, 1e-6).code).toContain('const EPSILON: f32 = 0.000001f;');
});

test('WGSL', async () => {
  await expect(rmsNormProgram(128, 7, 1e-5).code).toMatchFileSnapshot('rms-norm.snap.wgsl');
});
