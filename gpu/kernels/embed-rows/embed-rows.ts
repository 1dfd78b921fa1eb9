/** `embed-rows`: embedding rows of a chunk's tokens. One dispatch per shard of the embedding; each writes the tokens that it holds. */
import { composeProgram, f32 } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import type { ComputeType } from '../../quant/types.ts';
import { CHUNK_SNIPPET, grid, type Grid } from '../prefill-shared/chunk.ts';
import { uniformWriter } from '../uniforms.ts';
import body from './embed-rows.wgsl';

/** Bindings: chunk, params, weights, tokens u32 [T], out [T, D]. */
export function embedRowsProgram(type: ComputeType, modelWidth: number, scale: number): KernelProgram {
  return composeProgram({
    name: 'embed-rows',
    body,
    bindings: ['uniform', 'uniform', 'read', 'read', 'read-write'],
    consts: { UNITS: modelWidth / 32, SCALE: f32(scale) },
    types: [type],
    snippets: [CHUNK_SNIPPET],
  });
}

/** A shard holds rows `first_row`… of the embedding. */
export const embedRowsParams = uniformWriter<{ first_row: number; rows: number }>(body, 'Params');

export function embedRowsGrid(modelWidth: number, nTokens: number): Grid {
  return grid(Math.ceil((nTokens * modelWidth) / 32 / 64));
}
