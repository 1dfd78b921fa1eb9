/** Cases of `attention-prefill`: grouped heads, chunks across key-tile borders, later keys and heads that must not leak in, sinks, windows. */
import type { KvType } from '../../quant/kv-types.ts';
import { CaseRandom, type KernelCase } from '../cases.ts';
import { kvNormals } from '../prefill-shared/case-helpers.ts';
import { chunkBytes } from '../prefill-shared/chunk.ts';
import { attentionPrefillGrid, attentionPrefillParams, attentionPrefillProgram } from './attention-prefill.ts';
import { attentionPrefillRef } from './attention-prefill.ref.ts';

interface AttentionCase {
  readonly nHeads: number;
  readonly nKvHeads: number;
  readonly headWidth: number;
  readonly nTokens: number;
  readonly start: number;
  readonly contextTokens?: number;
  readonly kvType?: KvType;
  /** Standard deviation of the queries: large ones make the softmax pick single keys. */
  readonly queryScale?: number;
  readonly windowTokens?: number;
  readonly sinks?: boolean;
}

function attentionCase(name: string, seed: number, shape: AttentionCase): KernelCase {
  return {
    name: `attention-prefill: ${name}`,
    make() {
      const random = new CaseRandom(seed);
      const { nHeads, nKvHeads, headWidth, nTokens, start, contextTokens = start + nTokens + 9, queryScale = 1 } = shape;
      const { kvType = 'f16', windowTokens } = shape;
      const queries = random.normals(nTokens * nHeads * headWidth, queryScale);
      const keys = kvNormals(random, kvType, headWidth, nKvHeads * contextTokens);
      const values = kvNormals(random, kvType, headWidth, nKvHeads * contextTokens);
      const vectors = random.normals(nHeads + 5);
      const heads = { nHeads, nKvHeads, headWidth, contextTokens, scale: 1 / Math.sqrt(headWidth), windowTokens };
      const gpuShape = { ...heads, kvType, sinks: shape.sinks ? 3 : undefined };
      const sinks = shape.sinks ? vectors.subarray(3, 3 + nHeads) : undefined;
      const want = attentionPrefillRef(queries, start, keys.values, values.values, { ...heads, sinks });
      return {
        program: attentionPrefillProgram(kvType, shape.sinks),
        grid: attentionPrefillGrid(gpuShape, nTokens),
        bindings: [
          { input: chunkBytes(nTokens, start) },
          { input: attentionPrefillParams(gpuShape) },
          { input: queries },
          { input: keys.bytes },
          { input: values.bytes },
          {
            expected: {
              type: 'f32',
              values: want,
              tolerance: { nmse: 1e-9 * queryScale ** 2, reason: 'a score of size s errs by s · 2^-22, and exp passes that on' },
            },
            // What an earlier chunk left there must not matter, not even if it is not a number.
            initial: new Float32Array(want.length).fill(NaN),
          },
          ...(shape.sinks ? [{ input: vectors }] : []),
        ],
        bytes: 4 * nKvHeads * (start + nTokens) * headWidth + 8 * queries.length,
        flops: 4 * nHeads * headWidth * nTokens * (start + nTokens / 2),
      };
    },
  };
}

export const attentionPrefillCases: readonly KernelCase[] = [
  attentionCase('one token at position 0', 1, { nHeads: 2, nKvHeads: 1, headWidth: 16, nTokens: 1, start: 0 }),
  attentionCase('from an empty cache, off every tile', 2, { nHeads: 4, nKvHeads: 2, headWidth: 32, nTokens: 37, start: 0 }),
  attentionCase('start inside a key tile', 3, { nHeads: 4, nKvHeads: 2, headWidth: 32, nTokens: 21, start: 45 }),
  attentionCase('start at a key tile border', 4, { nHeads: 2, nKvHeads: 2, headWidth: 64, nTokens: 16, start: 32 }),
  attentionCase('eight heads to a key/value head', 5, { nHeads: 8, nKvHeads: 1, headWidth: 8, nTokens: 9, start: 100 }),
  attentionCase('heads per key/value head not a power of two', 6, {
    nHeads: 9,
    nKvHeads: 3,
    headWidth: 24,
    nTokens: 13,
    start: 5,
  }),
  attentionCase('cache full to the last row', 7, {
    nHeads: 2,
    nKvHeads: 1,
    headWidth: 32,
    nTokens: 11,
    start: 50,
    contextTokens: 61,
  }),
  attentionCase('sharp softmax', 8, { nHeads: 2, nKvHeads: 1, headWidth: 32, nTokens: 20, start: 30, queryScale: 30 }),
  attentionCase('q8_0, heads of 32', 20, { kvType: 'q8_0', nHeads: 4, nKvHeads: 2, headWidth: 32, nTokens: 21, start: 45 }),
  attentionCase('q8_0, heads of 64', 21, { kvType: 'q8_0', nHeads: 6, nKvHeads: 2, headWidth: 64, nTokens: 37, start: 0 }),
  attentionCase('q8_0, heads of 96, an odd number of blocks', 22, {
    kvType: 'q8_0',
    nHeads: 2,
    nKvHeads: 2,
    headWidth: 96,
    nTokens: 9,
    start: 100,
  }),
  attentionCase('q8_0, heads of 128, cache full to the last row', 23, {
    kvType: 'q8_0',
    nHeads: 4,
    nKvHeads: 1,
    headWidth: 128,
    nTokens: 11,
    start: 50,
    contextTokens: 61,
  }),
  attentionCase('sinks', 40, { sinks: true, nHeads: 6, nKvHeads: 2, headWidth: 32, nTokens: 37, start: 0 }),
  attentionCase('a window shorter than a key tile', 41, {
    windowTokens: 5,
    nHeads: 2,
    nKvHeads: 1,
    headWidth: 32,
    nTokens: 50,
    start: 21,
  }),
  attentionCase('a window of one', 42, { windowTokens: 1, nHeads: 2, nKvHeads: 2, headWidth: 16, nTokens: 40, start: 0 }),
  attentionCase('a window that leaves whole tiles out', 43, {
    windowTokens: 70,
    nHeads: 4,
    nKvHeads: 1,
    headWidth: 64,
    nTokens: 37,
    start: 201,
  }),
  attentionCase('a window that begins at a tile border', 44, {
    windowTokens: 33,
    nHeads: 2,
    nKvHeads: 1,
    headWidth: 32,
    nTokens: 18,
    start: 96,
  }),
  attentionCase('a window longer than what there is', 45, {
    windowTokens: 500,
    nHeads: 2,
    nKvHeads: 1,
    headWidth: 32,
    nTokens: 21,
    start: 45,
  }),
  attentionCase('sinks and a window, q8_0', 46, {
    sinks: true,
    windowTokens: 40,
    kvType: 'q8_0',
    nHeads: 8,
    nKvHeads: 1,
    headWidth: 32,
    nTokens: 21,
    start: 90,
  }),
  attentionCase('sinks, a window and a sharp softmax', 47, {
    sinks: true,
    windowTokens: 40,
    nHeads: 2,
    nKvHeads: 1,
    headWidth: 32,
    nTokens: 20,
    start: 60,
    queryScale: 30,
  }),
  attentionCase('f32', 30, { kvType: 'f32', nHeads: 4, nKvHeads: 2, headWidth: 40, nTokens: 21, start: 45 }),
];
