/** `experts-up` without a device. */
import { expect, test } from 'vitest';
import { SNAPSHOT_VARIANT } from '../case-variant.ts';
import { MAX_WORKGROUPS } from '../lanes.ts';
import { expertRowsLayout, expertsUpKernel, expertsUpParams, type ExpertsUpShape } from './experts-up.ts';

const SHAPE: ExpertsUpShape = {
  modelWidth: 64,
  nExperts: 8,
  nExpertsUsed: 2,
  width: 96,
  gate: { type: 'Q4_0', offsetVec4: 0 },
  up: { type: 'Q4_0', offsetVec4: 216 },
  slotStrideBytes: 10496,
  nShards: 2,
  rows: expertRowsLayout(192, 2, 4),
  normalise: true,
  weightScale: 1,
  norm: 64,
  epsilon: 1e-6,
};

test('expert rows: hidden, ids, weights, records', () => {
  expect(SHAPE.rows).toEqual({ ids: 192, weights: 194, records: 196, length: 200 });
});

test('the ranks share the workgroups', () => {
  const grid = (shape: Partial<ExpertsUpShape>) => expertsUpKernel({ ...SHAPE, ...shape }, SNAPSHOT_VARIANT).grid;
  expect(grid({})).toEqual([6, 2, 1]);
  const [x, y] = grid({ width: 1e5, nExpertsUsed: 8 });
  expect(x * y).toBe(MAX_WORKGROUPS);
});

test('parameters', () => {
  const bytes = expertsUpParams({ table_offset: 16, layer: 2, record_at: 198 });
  expect(Array.from(new Uint32Array(bytes.buffer))).toEqual([16, 2, 198, 0]);
});

test('another activation is another snippet; biases are constants', () => {
  const { code } = expertsUpKernel(
    { ...SHAPE, activation: 'clamped-swiglu', biases: { gate: 128, up: 896 } },
    SNAPSHOT_VARIANT,
  ).program;
  expect(code).toContain('const HAS_BIASES: bool = true;\nconst GATE_BIAS: u32 = 128u;\nconst UP_BIAS: u32 = 896u;');
  expect(code).toContain('1.702');
  expect(code).not.toContain('silu(g: vec4<f32>)');
});

test('WGSL', async () => {
  await expect(expertsUpKernel(SHAPE, SNAPSHOT_VARIANT).program.code).toMatchFileSnapshot('experts-up.snap.wgsl');
});
