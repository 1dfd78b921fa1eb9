/** The uniform that all prefill kernels share (binding 0), and the shape of their grids. */
import { invariant } from '../../invariant.ts';
import chunkWgsl from './chunk.wgsl';
import { uniformWriter } from '../uniforms.ts';

export const CHUNK_SNIPPET = chunkWgsl;

export interface Chunk {
  readonly n_tokens: number;
  readonly start_position: number;
  readonly first_row: number;
  readonly reserved: number;
}

const write = uniformWriter<Chunk>(chunkWgsl, 'Chunk');

/** Bytes of the chunk uniform: T tokens at `startPosition`…, matrix rows read from `firstRow` on. */
export function chunkBytes(nTokens: number, startPosition: number, firstRow = 0): Uint8Array<ArrayBuffer> {
  return write({ n_tokens: nTokens, start_position: startPosition, first_row: firstRow, reserved: 0 });
}

export type Grid = readonly [x: number, y: number, z: number];

/** WebGPU's least limit of workgroups per dimension. */
const MAX_GRID = 65535;

/** A grid that is checked against the limit: prefill grids stay below it by the limits of chunk (512) and matrix rows (4 million). */
export function grid(x: number, y = 1): Grid {
  invariant(x >= 1 && x <= MAX_GRID && y >= 1 && y <= MAX_GRID, `grid ${x} × ${y}`);
  return [x, y, 1];
}
