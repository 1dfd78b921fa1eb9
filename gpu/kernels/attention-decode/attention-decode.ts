/** `attention-decode`: q/k norm, RoPE, KV append and online-softmax attention of one token, in splits at absolute positions. */
import { f32 } from '../../device/compose.ts';
import { invariant } from '../../invariant.ts';
import type { KvType } from '../../quant/kv-types.ts';
import kvCacheWgsl from '../../wgsl/kv-cache.wgsl';
import { KV_SNIPPETS } from '../../wgsl/kv-snippets.ts';
import ropeWgsl from '../../wgsl/rope.wgsl';
import stateWgsl from '../../wgsl/state.wgsl';
import { composeLanes, laneGrid, type KernelInstance, type LaneVariant } from '../lanes.ts';
import body from './attention-decode.wgsl';

/** Positions per split. Part of the numerics: it fixes where partial sums meet. */
export const SPLIT_TOKENS = 256;

export interface AttentionShape {
  readonly nHeads: number; // H
  readonly nKvHeads: number; // G
  readonly headWidth: number; // Hd, even
  readonly contextTokens: number; // C
  readonly kvType: KvType;
  readonly attentionScale: number;
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
  /** Element of `vectors` where the heads' sinks [H] start; absent: none. */
  readonly sinks?: number;
  /** The token sees so many positions, its own counted; absent: all. */
  readonly windowTokens?: number;
}

/** The attention buffer in f32 elements: output, then the partials of every split that the context can have. */
export interface AttentionLayout {
  readonly partials: number;
  readonly sums: number;
  readonly length: number;
}

export function attentionLayout(shape: Pick<AttentionShape, 'nHeads' | 'headWidth' | 'contextTokens'>): AttentionLayout {
  const row = shape.nHeads * shape.headWidth;
  const splits = splitsAt(shape.contextTokens - 1);
  if (splits === 1) return { partials: 0, sums: 0, length: row };
  return { partials: row, sums: row * (1 + splits), length: row * (1 + splits) + 2 * splits * shape.nHeads };
}

/** Splits that hold a position ≤ `position`: the y of the grid. From two on, `attention-reduce` must follow. */
export function splitsAt(position: number): number {
  return Math.floor(position / SPLIT_TOKENS) + 1;
}

/**
 * Bindings: qkv, vectors, globals, state, keys, values (kvLayout of G·C rows), attention (attentionLayout).
 * `grid` is that of one split; set its y to `splitsAt(position)`.
 */
export function attentionDecodeKernel(shape: AttentionShape, variant: LaneVariant): KernelInstance {
  invariant(shape.headWidth % 2 === 0 && shape.ropeDims % 2 === 0, `head width ${shape.headWidth}, RoPE dims ${shape.ropeDims}`);
  const layout = attentionLayout(shape);
  const hasNorm = shape.qkNorm !== 'none';
  const program = composeLanes(variant, {
    name: 'attention-decode',
    body,
    bindings: ['read', 'read', 'read', 'read', 'read-write', 'read-write', 'read-write'],
    consts: {
      MIN_LANES: variant.minLanes,
      N_HEADS: shape.nHeads,
      N_KV_HEADS: shape.nKvHeads,
      HEAD_WIDTH: shape.headWidth,
      CONTEXT_TOKENS: shape.contextTokens,
      SPLIT_TOKENS,
      SCALE: f32(shape.attentionScale),
      HAS_NORM: hasNorm,
      WHOLE_ROW_NORM: shape.qkNorm === 'whole-row',
      Q_NORM: hasNorm ? shape.qNorm : 0,
      K_NORM: hasNorm ? shape.kNorm : 0,
      EPSILON: f32(shape.epsilon),
      CLAMP: f32(shape.clampQkv ?? 3.4e38),
      INTERLEAVED: shape.pairing === 'interleaved',
      ROPE_DIMS: shape.ropeDims,
      ROPE_OFFSET: shape.ropeOffset,
      HAS_SINKS: shape.sinks !== undefined,
      SINKS_AT: shape.sinks ?? 0,
      WINDOW: shape.windowTokens ?? 0,
      PARTIALS_AT: layout.partials,
      SUMS_AT: layout.sums,
    },
    snippets: [stateWgsl, ropeWgsl, kvCacheWgsl, KV_SNIPPETS[shape.kvType].append],
  });
  return { program, grid: [laneGrid(variant, shape.nHeads), 1, 1] };
}
