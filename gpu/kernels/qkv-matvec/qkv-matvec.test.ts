/** `qkv-matvec` without a device. */
import { expect, test } from 'vitest';
import { SNAPSHOT_VARIANT } from '../case-variant.ts';
import { qkvMatvecKernel, type QkvMatvecShape } from './qkv-matvec.ts';

const SHAPE: QkvMatvecShape = {
  modelWidth: 256,
  qRows: 64,
  kvRows: 32,
  types: ['Q4_K', 'Q4_K', 'Q6_K'],
  basesVec4: [0, 576, 864],
  norm: 0,
  biases: [256, 320, 352],
  epsilon: 1e-6,
};

test('a snippet per tensor type in use, a kind per matrix', () => {
  const { code } = qkvMatvecKernel(SHAPE, SNAPSHOT_VARIANT).program;
  expect(code.match(/fn \w+_dot32/g)).toEqual(['fn q4_k_dot32', 'fn q6_k_dot32', 'fn w_dot32']);
  expect(code).toMatch(/const K_KIND: u32 = 0u;\nconst V_KIND: u32 = 1u;/);
});

test('programs are shared by equal shapes and told apart otherwise', () => {
  const key = (shape: Partial<QkvMatvecShape>) => qkvMatvecKernel({ ...SHAPE, ...shape }, SNAPSHOT_VARIANT).program.key;
  expect(key({})).toBe(key({}));
  expect(key({ biases: null })).not.toBe(key({}));
  expect(key({ epsilon: 1e-5 })).not.toBe(key({}));
});

test('WGSL', async () => {
  await expect(qkvMatvecKernel(SHAPE, SNAPSHOT_VARIANT).program.code).toMatchFileSnapshot('qkv-matvec.snap.wgsl');
});
