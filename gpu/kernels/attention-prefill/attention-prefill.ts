/** `attention-prefill`: causal attention of a chunk over the cache, with online softmax (Milakov and Gimelshein 2018; Rabe and Staats 2021). */
import { composeProgram } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import { invariant } from '../../invariant.ts';
import { kvLayout } from '../../quant/kv-formats.ts';
import type { KvType } from '../../quant/kv-types.ts';
import { KV_SNIPPETS } from '../../wgsl/kv-snippets.ts';
import { CHUNK_SNIPPET, grid, type Grid } from '../prefill-shared/chunk.ts';
import { uniformWriter } from '../uniforms.ts';
import body from './attention-prefill.wgsl';
import noSinks from './no-sinks.wgsl';
import sinks from './sinks.wgsl';

const LANES = 32;

export interface AttentionPrefillShape {
  readonly nHeads: number; // H
  readonly nKvHeads: number; // G, divides H
  readonly headWidth: number; // Hd, a multiple of 8
  readonly contextTokens: number; // C
  readonly kvType: KvType;
  readonly scale: number;
  /** Element of `vectors` where the heads' sinks [H] start; absent: none. */
  readonly sinks?: number;
  /** A token sees so many positions, its own counted; absent: all. */
  readonly windowTokens?: number;
}

const ALL_TOKENS = 0xffffffff;

/**
 * Bindings: chunk, params, queries [T, H·Hd], keys and values (kvLayout of G·C rows, the chunk's own included), out [T, H·Hd]; with
 * sinks also vectors. One pipeline per KV type for all shapes: its loops are long to compile where the driver unrolls them for every head width.
 */
export function attentionPrefillProgram(kvType: KvType, hasSinks = false): KernelProgram {
  return composeProgram({
    name: 'attention-prefill',
    body,
    bindings: ['uniform', 'uniform', 'read', 'read', 'read', 'read-write', ...(hasSinks ? (['read'] as const) : [])],
    consts: { LANES },
    snippets: [CHUNK_SNIPPET, KV_SNIPPETS[kvType].rows, hasSinks ? sinks : noSinks],
  });
}

const write = uniformWriter(body, 'Params');

export function attentionPrefillParams(shape: AttentionPrefillShape): Uint8Array<ArrayBuffer> {
  invariant(shape.headWidth % 8 === 0, `head width ${shape.headWidth} is no multiple of 8`);
  const [, scales] = kvLayout(shape.kvType, shape.headWidth, shape.nKvHeads * shape.contextTokens).planes;
  return write({
    heads_per_kv: shape.nHeads / shape.nKvHeads,
    n_kv_heads: shape.nKvHeads,
    eights: shape.headWidth / 8,
    context_tokens: shape.contextTokens,
    scales_at: (scales?.offsetBytes ?? 0) / 4,
    scale: shape.scale,
    window: shape.windowTokens ?? ALL_TOKENS,
    sinks_at: shape.sinks ?? 0,
  });
}

export function attentionPrefillGrid(shape: Pick<AttentionPrefillShape, 'nHeads' | 'nKvHeads'>, nTokens: number): Grid {
  return grid(shape.nKvHeads, Math.ceil((nTokens * (shape.nHeads / shape.nKvHeads)) / LANES));
}
