/** The models that people ask for, on machines that people have: the verdict is the one their owners report, and says it in words. */
import { expect, test } from 'vitest';
import type { MachineFigures } from '../../gpu/residency/plan/types.ts';
import { fitVerdict, type ModelSizes } from './fit-verdict.ts';

const GIB = 2 ** 30;
const unmeasured = {
  diskBytesPerSecond: null,
  uploadBytesPerSecond: null,
  readbackMs: null,
  computeBytesPerSecond: null,
  dispatchMs: null,
};
const DISCRETE_12: MachineFigures = {
  ...unmeasured,
  unifiedMemory: false,
  software: false,
  gpuFreeBytes: 11 * GIB,
  ramFreeBytes: 24 * GIB,
  ramTotalBytes: 32 * GIB,
};
const UNIFIED_16: MachineFigures = {
  ...unmeasured,
  unifiedMemory: true,
  software: false,
  gpuFreeBytes: null,
  ramFreeBytes: 11 * GIB,
  ramTotalBytes: 16 * GIB,
};
const SOFTWARE_8: MachineFigures = {
  ...unmeasured,
  unifiedMemory: true,
  software: true,
  gpuFreeBytes: null,
  ramFreeBytes: 5 * GIB,
  ramTotalBytes: 8 * GIB,
};

const QWEN3_30B: ModelSizes = {
  fileBytes: 18.6e9,
  nLayers: 48,
  nExperts: 128,
  nExpertsUsed: 8,
  expertBytes: 16.3e9,
  trainedContextTokens: 40960,
  kvBytesPerToken: 98304,
};
const GRANITE_1B: ModelSizes = {
  fileBytes: 0.82e9,
  nLayers: 24,
  nExperts: 32,
  nExpertsUsed: 8,
  expertBytes: null,
  trainedContextTokens: 131072,
  kvBytesPerToken: null,
};
const MIXTRAL: ModelSizes = {
  fileBytes: 26.4e9,
  nLayers: 32,
  nExperts: 8,
  nExpertsUsed: 2,
  expertBytes: 25.4e9,
  trainedContextTokens: 32768,
  kvBytesPerToken: 131072,
};
const DENSE_70B: ModelSizes = {
  fileBytes: 42e9,
  nLayers: 80,
  nExperts: 0,
  nExpertsUsed: 0,
  expertBytes: null,
  trainedContextTokens: 8192,
  kvBytesPerToken: null,
};

const LARGE_BINDINGS = { maxBindingBytes: 2 ** 31 };

test('a small model fits everywhere', () => {
  for (const machine of [DISCRETE_12, UNIFIED_16]) expect(fitVerdict(GRANITE_1B, machine)).toMatchObject({ verdict: 'fits' });
  expect(fitVerdict(GRANITE_1B, SOFTWARE_8).sentence).toMatch(/processor/);
});

test('a mixture larger than the GPU runs with offload, and the range is ordered', () => {
  const { verdict, sentence, tokensPerSecond, plan } = fitVerdict(QWEN3_30B, DISCRETE_12, undefined, LARGE_BINDINGS);
  expect(verdict).toBe('fits-with-offload');
  expect(sentence).toMatch(
    /^Runs with \d+ % of its experts on your GPU and the rest in RAM and disk: about [\d.]+ to [\d.]+ tokens per second\.$/,
  );
  expect(tokensPerSecond!.from).toBeLessThan(tokensPerSecond!.to);
  expect(plan!.slotShare).toBeGreaterThan(0.3);
});

test('larger experts are slower than small ones of as many bytes', () => {
  const small = fitVerdict(QWEN3_30B, UNIFIED_16, undefined, LARGE_BINDINGS).tokensPerSecond!;
  const large = fitVerdict(MIXTRAL, UNIFIED_16, undefined, LARGE_BINDINGS).tokensPerSecond!;
  expect(large.to).toBeLessThan(small.from);
});

test('a dense model above the memory does not fit, and the sentence has the numbers', () => {
  const { verdict, sentence, tokensPerSecond } = fitVerdict(DENSE_70B, DISCRETE_12);
  expect(verdict).toBe('does-not-fit');
  expect(sentence).toMatch(/needs [\d.]+ GiB of GPU memory; [\d.]+ GiB can be had/);
  expect(tokensPerSecond).toBeNull();
});

test('experts above what the adapter binds, and a full disk, are said before a download', () => {
  expect(fitVerdict(MIXTRAL, DISCRETE_12, undefined, { maxBindingBytes: 2 ** 26 }).sentence).toMatch(
    /larger than this GPU can address/,
  );
  const full = fitVerdict(QWEN3_30B, DISCRETE_12, undefined, { ...LARGE_BINDINGS, diskFreeBytes: 3 * GIB });
  expect(full.verdict).toBe('does-not-fit');
  expect(full.sentence).toMatch(/on disk/);
});

test('software rendering of a large model is called slow', () => {
  expect(fitVerdict(QWEN3_30B, SOFTWARE_8, undefined, LARGE_BINDINGS).verdict).toBe('slow');
});

test('keys and values count by the type that is set', () => {
  const plans = (['q8_0', 'f16', 'f32'] as const).map(
    (kvType) => fitVerdict(QWEN3_30B, DISCRETE_12, { gpuBytes: 6 * GIB, ramBytes: null }, { ...LARGE_BINDINGS, kvType }).plan!,
  );
  const perToken = plans.map(({ gpu, contextTokens }) => gpu.kvBytes / contextTokens);
  expect(perToken.map((bytes) => bytes / perToken[1])).toEqual([34 / 64, 1, 2]);
  expect(plans.map(({ kvType }) => kvType)).toEqual(['q8_0', 'f16', 'f32']);
});
