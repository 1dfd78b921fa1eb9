/** `experts-sort`: (token, rank) pairs by expert, and the tile table of the expert matmuls. Deterministic, no read-back. */
import { composeProgram } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import { CHUNK_SNIPPET, grid, type Grid } from '../prefill-shared/chunk.ts';
import body from './experts-sort.wgsl';

/** Places of one expert that a workgroup of the expert matmuls works on. */
export const TILE_ROWS = 16;
const MAX_LANES = 256;

/** Bindings: chunk, ids u32 [T, K], pairs u32 [T·K], tiles vec4<u32> [maxTiles]. */
export function expertsSortProgram(nExperts: number, nExpertsUsed: number): KernelProgram {
  return composeProgram({
    name: 'experts-sort',
    body,
    bindings: ['uniform', 'read', 'read-write', 'read-write'],
    consts: {
      N_EXPERTS: nExperts,
      N_USED: nExpertsUsed,
      TILE_ROWS,
      LANES: Math.min(MAX_LANES, Math.ceil(nExperts / 32) * 32),
    },
    snippets: [CHUNK_SNIPPET],
  });
}

export const EXPERTS_SORT_GRID: Grid = grid(1);

/**
 * The most tiles that T·K pairs over E experts can need: a tile per pair, or full tiles and one begun tile per expert. The expert
 * matmuls always dispatch this many; those past the true number exit at once.
 */
export function maxTiles(nExperts: number, nPairs: number): number {
  return Math.min(nPairs, Math.floor(nPairs / TILE_ROWS) + nExperts);
}
