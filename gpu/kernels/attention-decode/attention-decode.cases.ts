/** Cases of `attention-decode`: first token, one split, borders of splits, both pairings, both norms, clamp, GQA ratios, head widths, outliers, sinks, windows. */
import { encodeKv } from '../../quant/kv-formats.ts';
import { ropeInverseFrequencies } from '../../reference/ops/rope.ts';
import { attentionReduceRef } from '../attention-reduce/attention-reduce.ref.ts';
import { CaseRandom, type Expected, type KernelCase, type Tolerance } from '../cases.ts';
import { laneVariant } from '../lanes.ts';
import { KV_TOLERANCE, kvNormals } from '../prefill-shared/case-helpers.ts';
import { attentionDecodeKernel, attentionLayout, SPLIT_TOKENS, splitsAt, type AttentionShape } from './attention-decode.ts';
import { attentionDecodeRef } from './attention-decode.ref.ts';

/** The angle position · frequency is an f32 product: at position 700 it errs by up to 2^-15, and f16 rounding of the new key adds 2^-12. */
const TOLERANCE: Tolerance = { nmse: 1e-8, reason: 'f32 angles: (700 · 2^-24)² ≈ 2e-9; the new key may round to the other f16' };

/** Of the least f32, which is the maximum of nothing. */
const LEAST_BITS = 0xff7fffff;

interface AttentionCase extends Partial<AttentionShape> {
  readonly position: number;
  readonly outlier?: boolean;
}

function attentionCase(name: string, seed: number, options: AttentionCase): KernelCase {
  return {
    name: `attention-decode: ${name}`,
    make(capabilities) {
      const random = new CaseRandom(seed);
      const { position, outlier } = options;
      const headWidth = options.headWidth ?? 64;
      const shape: AttentionShape = {
        nHeads: 6,
        nKvHeads: 2,
        headWidth,
        contextTokens: 800,
        kvType: 'f16',
        attentionScale: 1 / Math.sqrt(headWidth),
        qkNorm: 'none',
        qNorm: 3,
        kNorm: 5000,
        epsilon: 1e-6,
        pairing: 'halves',
        ropeDims: headWidth,
        ropeOffset: 7,
        ...options,
      };
      const { nHeads, nKvHeads, contextTokens, kvType } = shape;
      const qkv = random.normals((nHeads + 2 * nKvHeads) * headWidth, 1.5);
      if (outlier) qkv[5] = 1e4;
      const vectors = random.normals(9000);
      const frequencies = Float32Array.from(
        ropeInverseFrequencies({ pairing: shape.pairing, dims: shape.ropeDims, base: 10000, scale: 1 }),
      );
      const keys = kvNormals(random, kvType, headWidth, nKvHeads * contextTokens);
      const values = kvNormals(random, kvType, headWidth, nKvHeads * contextTokens);
      const scale = Math.fround(shape.attentionScale);
      const partials = attentionDecodeRef(
        qkv,
        position,
        {
          ...shape,
          attentionScale: scale,
          splitTokens: SPLIT_TOKENS,
          epsilon: Math.fround(shape.epsilon),
          qNorm: shape.qkNorm === 'none' ? undefined : vectors.subarray(shape.qNorm, shape.qNorm + normWidth(shape, nHeads)),
          kNorm: shape.qkNorm === 'none' ? undefined : vectors.subarray(shape.kNorm, shape.kNorm + normWidth(shape, nKvHeads)),
          inverseFrequencies: frequencies,
          kvRounding: kvType,
          sinks: shape.sinks === undefined ? undefined : vectors.subarray(shape.sinks, shape.sinks + nHeads),
        },
        keys.values,
        values.values,
      );
      const layout = attentionLayout(shape);
      const { program, grid } = attentionDecodeKernel(shape, laneVariant(capabilities));
      const near = (numbers: Float64Array): Expected => ({ type: 'f32', values: numbers, tolerance: TOLERANCE });
      const before = Uint32Array.from({ length: 2 * nHeads }, (_, i) => (i % 2 ? 0 : LEAST_BITS)); // of a split before the window
      // Max and sum may be split otherwise by rounding; what counts is the output they give: partials are compared after division.
      const expected: Expected =
        partials.length === 1
          ? near(attentionReduceRef(partials, headWidth))
          : {
              type: 'parts',
              parts: partials.flatMap((partial, split) => [
                { offsetBytes: 4 * (layout.partials + split * nHeads * headWidth), expected: near(partial.weighted) },
                {
                  offsetBytes: 4 * (layout.sums + 2 * split * nHeads),
                  expected:
                    partial.sum[0] === 0
                      ? ({ type: 'u32', values: before } as const)
                      : near(Float64Array.from({ length: 2 * nHeads }, (_, i) => [partial.max, partial.sum][i % 2][i >> 1])),
                },
              ]),
            };
      const cache = (numbers: Float64Array): Expected => ({
        type: 'kv',
        kvType,
        headWidth,
        values: numbers,
        tolerance: KV_TOLERANCE[kvType],
      });
      // f16 and f32 values are clamped and rounded alone, without arithmetic: they are exact.
      const exactly = (numbers: Float64Array): Expected => ({
        type: 'u32',
        values: new Uint32Array(encodeKv(kvType, headWidth, numbers).buffer),
      });
      return {
        program,
        grid: [grid[0], splitsAt(position), 1],
        bindings: [
          { input: qkv },
          { input: vectors },
          { input: Float32Array.from([...random.normals(shape.ropeOffset), ...frequencies]) },
          { input: Uint32Array.of(position, 1, 0xffffffff, 0) },
          { initial: keys.bytes, expected: cache(keys.values) },
          { initial: values.bytes, expected: kvType === 'q8_0' ? cache(values.values) : exactly(values.values) },
          { initial: new Float32Array(layout.length), expected },
        ],
        bytes: 4 * (position + 1) * nKvHeads * headWidth,
        flops: 4 * (position + 1) * nHeads * headWidth,
      };
    },
  };
}

function normWidth({ qkNorm, headWidth }: AttentionShape, heads: number): number {
  return qkNorm === 'whole-row' ? heads * headWidth : headWidth;
}

export const attentionDecodeCases: readonly KernelCase[] = [
  attentionCase('the first token', 900, { position: 0 }),
  attentionCase('the second token', 901, { position: 1 }),
  attentionCase('positions off the block of four', 902, { position: 6 }),
  attentionCase('the last of the first split', 903, { position: SPLIT_TOKENS - 1 }),
  attentionCase('the first of the second split', 904, { position: SPLIT_TOKENS }),
  attentionCase('three splits', 905, { position: 700 }),
  attentionCase('a context of one split', 906, { position: 100, contextTokens: 128 }),
  attentionCase('interleaved pairs', 907, { position: 33, pairing: 'interleaved' }),
  attentionCase('RoPE of half the head', 908, { position: 33, ropeDims: 32 }),
  attentionCase('RoPE of half the head, interleaved', 909, { position: 33, ropeDims: 32, pairing: 'interleaved' }),
  attentionCase('norm per head', 910, { position: 41, qkNorm: 'per-head' }),
  attentionCase('norm over the row', 911, { position: 41, qkNorm: 'whole-row' }),
  attentionCase('clamp', 912, { position: 20, clampQkv: 0.75 }),
  attentionCase('one query head per key head', 913, { position: 20, nHeads: 3, nKvHeads: 3 }),
  attentionCase('eight query heads on one key head', 914, { position: 20, nHeads: 8, nKvHeads: 1 }),
  attentionCase('head width 128', 915, { position: 20, headWidth: 128 }),
  attentionCase('head width 80', 916, { position: 20, headWidth: 80 }),
  attentionCase('head width 16', 917, { position: 20, headWidth: 16 }),
  attentionCase('a query of 1e4', 918, { position: 20, outlier: true }),
  attentionCase('q8_0, the first token', 930, { position: 0, kvType: 'q8_0' }),
  attentionCase('q8_0, positions off the block of four', 931, { position: 6, kvType: 'q8_0' }),
  attentionCase('q8_0, the last of the first split', 932, { position: SPLIT_TOKENS - 1, kvType: 'q8_0' }),
  attentionCase('q8_0, three splits', 933, { position: 700, kvType: 'q8_0' }),
  attentionCase('q8_0, head width 32', 934, { position: 20, headWidth: 32, kvType: 'q8_0', pairing: 'interleaved' }),
  attentionCase('q8_0, head width 96', 935, { position: 20, headWidth: 96, kvType: 'q8_0', qkNorm: 'per-head' }),
  attentionCase('q8_0, head width 128', 936, { position: 300, headWidth: 128, kvType: 'q8_0', qkNorm: 'whole-row', clampQkv: 2 }),
  attentionCase('q8_0, eight query heads on one key head', 937, { position: 20, nHeads: 8, nKvHeads: 1, kvType: 'q8_0' }),
  // Few programs for many cases: compiling one takes longer than running it.
  attentionCase('sinks, the first token', 950, { position: 0, sinks: 4000 }),
  attentionCase('sinks, one split', 951, { position: 41, sinks: 4000 }),
  attentionCase('sinks, the first of the second split', 952, { position: SPLIT_TOKENS, sinks: 4000 }),
  attentionCase('sinks, three splits: in the last alone', 953, { position: 700, sinks: 4000 }),
  attentionCase('a window longer than what there is', 954, { position: 127, windowTokens: 128 }),
  attentionCase('a window that leaves out the first token', 955, { position: 128, windowTokens: 128 }),
  attentionCase('a window over the border of splits', 956, { position: 300, windowTokens: 128 }),
  attentionCase('a window within the last of three splits', 957, { position: 700, windowTokens: 128 }),
  attentionCase('sinks and a window of one, q8_0', 958, { position: 301, windowTokens: 1, sinks: 6001, kvType: 'q8_0' }),
  attentionCase('sinks and a window of a split, f32, five query heads on one key head', 959, {
    ...{ position: 2 * SPLIT_TOKENS, windowTokens: SPLIT_TOKENS, sinks: 6002 },
    ...{ nHeads: 5, nKvHeads: 1, kvType: 'f32', pairing: 'interleaved' },
  }),
  attentionCase('f32, the first token', 940, { position: 0, kvType: 'f32' }),
  attentionCase('f32, three splits', 941, { position: 700, kvType: 'f32' }),
  attentionCase('f32, head width 80', 942, { position: 20, headWidth: 80, kvType: 'f32', pairing: 'interleaved' }),
];
