/** `attention-prefill`: causal attention of a chunk over the cache, with online softmax (Milakov and Gimelshein 2018; Rabe and Staats 2021). */
import { composeProgram } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import { invariant } from '../../invariant.ts';
import { CHUNK_SNIPPET, grid, type Grid } from '../prefill-shared/chunk.ts';
import { uniformWriter } from '../uniforms.ts';
import body from './attention-prefill.wgsl';

const LANES = 32;

export interface AttentionPrefillShape {
  readonly nHeads: number; // H
  readonly nKvHeads: number; // G, divides H
  readonly headWidth: number; // Hd, a multiple of 8
  readonly contextTokens: number; // C
  readonly scale: number;
}

/**
 * Bindings: chunk, params, queries [T, H·Hd], keys and values [G, C, Hd/2] words (the chunk's own included), out [T, H·Hd].
 * One pipeline for all shapes: its loops are long to compile where the driver unrolls them for every head width.
 */
export const ATTENTION_PREFILL: KernelProgram = composeProgram({
  name: 'attention-prefill',
  body,
  bindings: ['uniform', 'uniform', 'read', 'read', 'read', 'read-write'],
  consts: { LANES },
  snippets: [CHUNK_SNIPPET],
});

const write = uniformWriter(body, 'Params');

export function attentionPrefillParams(shape: AttentionPrefillShape): Uint8Array<ArrayBuffer> {
  invariant(shape.headWidth % 8 === 0, `head width ${shape.headWidth} is no multiple of 8`);
  return write({
    heads_per_kv: shape.nHeads / shape.nKvHeads,
    n_kv_heads: shape.nKvHeads,
    words: shape.headWidth / 8,
    context_tokens: shape.contextTokens,
    scale: shape.scale,
  });
}

export function attentionPrefillGrid(shape: Pick<AttentionPrefillShape, 'nHeads' | 'nKvHeads'>, nTokens: number): Grid {
  return grid(shape.nKvHeads, Math.ceil((nTokens * (shape.nHeads / shape.nKvHeads)) / LANES));
}
