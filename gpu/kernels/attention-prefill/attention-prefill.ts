/** `attention-prefill`: causal attention of a chunk over the cache, with online softmax (Milakov and Gimelshein 2018; Rabe and Staats 2021). */
import { composeProgram, f32 } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import { invariant } from '../../invariant.ts';
import { CHUNK_SNIPPET, grid, type Grid } from '../prefill-shared/chunk.ts';
import body from './attention-prefill.wgsl';

const LANES = 32;

export interface AttentionPrefillShape {
  readonly nHeads: number; // H
  readonly nKvHeads: number; // G, divides H
  readonly headWidth: number; // Hd, a multiple of 8
  readonly contextTokens: number; // C
  readonly scale: number;
}

/** Bindings: chunk, queries [T, H·Hd], keys and values [G, C, Hd/2] words (the chunk's own included), out [T, H·Hd]. */
export function attentionPrefillProgram(shape: AttentionPrefillShape): KernelProgram {
  invariant(shape.headWidth % 8 === 0, `head width ${shape.headWidth} is no multiple of 8`);
  return composeProgram({
    name: 'attention-prefill',
    body,
    bindings: ['uniform', 'read', 'read', 'read', 'read-write'],
    consts: {
      LANES,
      N_HEADS: shape.nHeads,
      N_KV_HEADS: shape.nKvHeads,
      HEAD_WIDTH: shape.headWidth,
      CONTEXT_TOKENS: shape.contextTokens,
      SCALE: f32(shape.scale),
    },
    snippets: [CHUNK_SNIPPET],
  });
}

export function attentionPrefillGrid(shape: Pick<AttentionPrefillShape, 'nHeads' | 'nKvHeads'>, nTokens: number): Grid {
  return grid(shape.nKvHeads, Math.ceil((nTokens * (shape.nHeads / shape.nKvHeads)) / LANES));
}
