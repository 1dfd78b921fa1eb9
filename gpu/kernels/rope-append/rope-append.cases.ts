/** Cases of `rope-append`: both pairings, both norms, clamp, partial rotation, positions whose angles need reduction. */
import { ropeInverseFrequencies } from '../../reference/ops/rope.ts';
import type { KvType } from '../../quant/kv-types.ts';
import { CaseRandom, joinF32, type KernelCase } from '../cases.ts';
import { KV_TOLERANCE, kvNormals, withOutliers } from '../prefill-shared/case-helpers.ts';
import { chunkBytes } from '../prefill-shared/chunk.ts';
import { ropeAppendGrid, ropeAppendProgram, type RopeAppendShape } from './rope-append.ts';
import { ropeAppendRef } from './rope-append.ref.ts';

interface RopeCase {
  readonly nHeads: number;
  readonly nKvHeads: number;
  readonly headWidth: number;
  readonly qkNorm: RopeAppendShape['qkNorm'];
  readonly pairing: RopeAppendShape['pairing'];
  readonly nTokens: number;
  readonly start: number;
  readonly contextTokens?: number;
  readonly kvType?: KvType;
  readonly ropeDims?: number;
  readonly clampQkv?: number;
  readonly outliers?: boolean;
  /** Angle error of f32 grows with the position: |angle| · 2^-24. */
  readonly nmse?: number;
}

function ropeCase(name: string, seed: number, shape: RopeCase): KernelCase {
  return {
    name: `rope-append: ${name}`,
    make() {
      const random = new CaseRandom(seed);
      const {
        nHeads,
        nKvHeads,
        headWidth,
        qkNorm,
        nTokens,
        start,
        ropeDims = headWidth,
        contextTokens = start + nTokens + 3,
        kvType = 'f16',
      } = shape;
      const rowWidth = (nHeads + 2 * nKvHeads) * headWidth;
      const qkv = shape.outliers ? withOutliers(random, nTokens * rowWidth) : random.normals(nTokens * rowWidth);
      const [qNormWidth, kNormWidth] =
        qkNorm === 'whole-row' ? [nHeads * headWidth, nKvHeads * headWidth] : [headWidth, headWidth];
      const qWeight = random.normals(qNormWidth);
      const kWeight = random.normals(kNormWidth);
      const frequencies = Float32Array.from(
        ropeInverseFrequencies({ pairing: shape.pairing, dims: ropeDims, base: 10000, scale: 1 }),
      );
      const gpuShape: RopeAppendShape = {
        ...shape,
        contextTokens,
        kvType,
        qNorm: 2,
        kNorm: 2 + qNormWidth,
        epsilon: 1e-6,
        ropeDims,
        ropeOffset: 3,
      };
      const oldKeys = kvNormals(random, kvType, headWidth, nKvHeads * contextTokens);
      const oldValues = kvNormals(random, kvType, headWidth, nKvHeads * contextTokens);
      const keys = oldKeys.values.slice();
      const values = oldValues.values.slice();
      const queries = ropeAppendRef(
        qkv,
        start,
        {
          ...gpuShape,
          kvRounding: kvType,
          qNorm: qkNorm === 'none' ? undefined : qWeight,
          kNorm: qkNorm === 'none' ? undefined : kWeight,
          inverseFrequencies: frequencies,
        },
        keys,
        values,
      );
      const cache = (rows: Float64Array) =>
        ({ type: 'kv', kvType, headWidth, values: rows, tolerance: KV_TOLERANCE[kvType] }) as const;
      const tolerance = { nmse: shape.nmse ?? 1e-10, reason: 'angles below 64 are within 64 · 2^-24, squared 1.5e-11' };
      return {
        program: ropeAppendProgram(gpuShape),
        grid: ropeAppendGrid(gpuShape, nTokens),
        bindings: [
          { input: chunkBytes(nTokens, start) },
          { input: qkv },
          { input: joinF32(random.normals(2), qWeight, kWeight) },
          { input: joinF32(random.normals(3), frequencies) },
          { expected: { type: 'f32', values: queries, tolerance } },
          { expected: cache(keys), initial: oldKeys.bytes },
          { expected: cache(values), initial: oldValues.bytes },
        ],
        bytes: nTokens * rowWidth * 8,
        flops: nTokens * rowWidth * 6,
      };
    },
  };
}

const base = { nHeads: 4, nKvHeads: 2, headWidth: 32, qkNorm: 'none', pairing: 'halves', nTokens: 5, start: 0 } as const;

export const ropeAppendCases: readonly KernelCase[] = [
  ropeCase('halves', 1, base),
  ropeCase('interleaved, from position 30 on', 2, { ...base, pairing: 'interleaved', start: 30, nTokens: 21 }),
  ropeCase('norm per head', 3, { ...base, qkNorm: 'per-head', start: 9 }),
  ropeCase('norm over whole rows, clamped', 4, { ...base, qkNorm: 'whole-row', clampQkv: 0.75, pairing: 'interleaved' }),
  ropeCase('half of each head rotates', 5, { ...base, ropeDims: 16, start: 3 }),
  ropeCase('one token, one head', 6, { ...base, nHeads: 1, nKvHeads: 1, headWidth: 8, nTokens: 1, start: 17 }),
  ropeCase('heads of 80', 7, { ...base, headWidth: 80, nTokens: 2 }),
  ropeCase('position 4000', 8, { ...base, start: 4000, nTokens: 3, nmse: 1e-7 }),
  ropeCase('outliers of 1e4 with norm', 9, { ...base, qkNorm: 'per-head', outliers: true }),
  ropeCase('q8_0', 20, { ...base, kvType: 'q8_0' }),
  ropeCase('q8_0, heads of 64, two blocks to a word of scales', 21, {
    ...base,
    kvType: 'q8_0',
    headWidth: 64,
    start: 7,
    nTokens: 9,
  }),
  ropeCase('q8_0, heads of 96, an odd number of blocks', 22, { ...base, kvType: 'q8_0', headWidth: 96, qkNorm: 'per-head' }),
  ropeCase('q8_0, heads of 128, interleaved, norm over whole rows, clamped', 23, {
    ...base,
    kvType: 'q8_0',
    headWidth: 128,
    pairing: 'interleaved',
    qkNorm: 'whole-row',
    clampQkv: 0.75,
  }),
  ropeCase('q8_0, half of each head rotates', 24, { ...base, kvType: 'q8_0', headWidth: 64, ropeDims: 32, start: 3 }),
  ropeCase('q8_0, outliers of 1e4', 25, { ...base, kvType: 'q8_0', outliers: true }),
  ropeCase('q8_0, one token, one head', 26, { ...base, kvType: 'q8_0', nHeads: 1, nKvHeads: 1, nTokens: 1, start: 17 }),
  ropeCase('f32', 30, { ...base, kvType: 'f32', qkNorm: 'per-head', start: 9 }),
  ropeCase('f32, heads of 80, interleaved', 31, { ...base, kvType: 'f32', headWidth: 80, pairing: 'interleaved' }),
];
