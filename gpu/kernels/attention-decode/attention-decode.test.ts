/** `attention-decode` without a device. */
import { expect, test } from 'vitest';
import { SNAPSHOT_VARIANT } from '../case-variant.ts';
import { attentionDecodeKernel, attentionLayout, SPLIT_TOKENS, splitsAt, type AttentionShape } from './attention-decode.ts';

const SHAPE: AttentionShape = {
  nHeads: 4,
  nKvHeads: 2,
  headWidth: 64,
  contextTokens: 600,
  kvType: 'f16',
  attentionScale: 0.125,
  qkNorm: 'per-head',
  qNorm: 256,
  kNorm: 320,
  epsilon: 1e-6,
  pairing: 'halves',
  ropeDims: 64,
  ropeOffset: 256,
};

test('splits begin at absolute positions', () => {
  expect([0, SPLIT_TOKENS - 1, SPLIT_TOKENS, 2 * SPLIT_TOKENS - 1, 2 * SPLIT_TOKENS].map(splitsAt)).toEqual([1, 1, 2, 2, 3]);
});

test('room for the partials of every split, none where there is one', () => {
  expect(attentionLayout(SHAPE)).toEqual({ partials: 256, sums: 1024, length: 1048 });
  expect(attentionLayout({ ...SHAPE, contextTokens: SPLIT_TOKENS })).toEqual({ partials: 0, sums: 0, length: 256 });
});

test('a worker per query head', () => {
  expect(attentionDecodeKernel({ ...SHAPE, nHeads: 32 }, SNAPSHOT_VARIANT).grid).toEqual([4, 1, 1]);
});

test('sinks and a window are constants of the program', () => {
  const { code } = attentionDecodeKernel({ ...SHAPE, sinks: 400, windowTokens: 128 }, SNAPSHOT_VARIANT).program;
  expect(code).toContain('const HAS_SINKS: bool = true;\nconst SINKS_AT: u32 = 400u;\nconst WINDOW: u32 = 128u;');
});

test('WGSL', async () => {
  await expect(attentionDecodeKernel(SHAPE, SNAPSHOT_VARIANT).program.code).toMatchFileSnapshot('attention-decode.snap.wgsl');
});
