/** `rope-append`: clamp, q/k norm and RoPE of a chunk; keys and values go to the cache. */
import { composeProgram, f32 } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import type { KvType } from '../../quant/kv-types.ts';
import kvCacheWgsl from '../../wgsl/kv-cache.wgsl';
import { KV_SNIPPETS } from '../../wgsl/kv-snippets.ts';
import ropeWgsl from '../../wgsl/rope.wgsl';
import { CHUNK_SNIPPET, grid, type Grid } from '../prefill-shared/chunk.ts';
import body from './rope-append.wgsl';

export interface RopeAppendShape {
  readonly nHeads: number; // H
  readonly nKvHeads: number; // G
  readonly headWidth: number; // Hd, a multiple of 2
  readonly contextTokens: number; // C
  readonly kvType: KvType;
  readonly qkNorm: 'none' | 'per-head' | 'whole-row';
  /** Elements of `vectors` where the norms' weights start; ignored without norm. */
  readonly qNorm: number;
  readonly kNorm: number;
  readonly epsilon: number;
  readonly clampQkv?: number;
  readonly pairing: 'interleaved' | 'halves';
  readonly ropeDims: number;
  /** Element of `globals` where the inverse frequencies f32 [dims/2] start. */
  readonly ropeOffset: number;
}

/** Bindings: chunk, qkv [T, (H + 2G)·Hd], vectors, globals, queries [T, H·Hd], keys and values (kvLayout of G·C rows). */
export function ropeAppendProgram(shape: RopeAppendShape): KernelProgram {
  const { nHeads, nKvHeads, qkNorm } = shape;
  const hasNorm = qkNorm !== 'none';
  return composeProgram({
    name: 'rope-append',
    body,
    bindings: ['uniform', 'read', 'read', 'read', 'read-write', 'read-write', 'read-write'],
    consts: {
      N_HEADS: nHeads,
      N_KV_HEADS: nKvHeads,
      HEAD_WIDTH: shape.headWidth,
      CONTEXT_TOKENS: shape.contextTokens,
      Q_GROUPS: qkNorm === 'whole-row' ? 1 : nHeads,
      KV_GROUPS: qkNorm === 'whole-row' ? 1 : nKvHeads,
      HAS_NORM: hasNorm,
      Q_NORM: hasNorm ? shape.qNorm : 0,
      K_NORM: hasNorm ? shape.kNorm : 0,
      EPSILON: f32(shape.epsilon),
      CLAMP: f32(shape.clampQkv ?? 3.4e38),
      INTERLEAVED: shape.pairing === 'interleaved',
      ROPE_DIMS: shape.ropeDims,
      ROPE_OFFSET: shape.ropeOffset,
    },
    snippets: [CHUNK_SNIPPET, ropeWgsl, kvCacheWgsl, KV_SNIPPETS[shape.kvType].append],
  });
}

export function ropeAppendGrid(shape: Pick<RopeAppendShape, 'nHeads' | 'nKvHeads' | 'qkNorm'>, nTokens: number): Grid {
  return grid(shape.qkNorm === 'whole-row' ? 3 : shape.nHeads + 2 * shape.nKvHeads, nTokens);
}
