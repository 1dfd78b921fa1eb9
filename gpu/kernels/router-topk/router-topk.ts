/** `router-topk`: the experts of each token of a chunk and their weights. */
import { composeProgram, f32 } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import { CHUNK_SNIPPET, grid, type Grid } from '../prefill-shared/chunk.ts';
import body from './router-topk.wgsl';

export interface RouterTopkShape {
  readonly nExperts: number; // E
  readonly nExpertsUsed: number; // K ≤ E
  readonly normalise: boolean;
  readonly weightScale: number;
}

/** Bindings: chunk, logits [T, E], ids u32 [T, K], weights [T, K]. */
export function routerTopkProgram(shape: RouterTopkShape): KernelProgram {
  return composeProgram({
    name: 'router-topk',
    body,
    bindings: ['uniform', 'read', 'read-write', 'read-write'],
    consts: {
      N_EXPERTS: shape.nExperts,
      N_USED: shape.nExpertsUsed,
      NORMALISE: shape.normalise,
      WEIGHT_SCALE: f32(shape.weightScale),
    },
    snippets: [CHUNK_SNIPPET],
  });
}

export function routerTopkGrid(nTokens: number): Grid {
  return grid(Math.ceil(nTokens / 32));
}
