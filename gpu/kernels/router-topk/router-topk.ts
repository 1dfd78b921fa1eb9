/** `router-topk`: the experts of each token of a chunk and their weights. */
import type { ExpertGroups } from '../../architectures/types.ts';
import { composeProgram, f32 } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import { CHUNK_SNIPPET, grid, type Grid } from '../prefill-shared/chunk.ts';
import silu from '../../wgsl/silu.wgsl';
import body from './router-topk.wgsl';

export interface RouterTopkShape {
  readonly nExperts: number; // E
  readonly nExpertsUsed: number; // K ≤ E
  readonly normalise: boolean;
  readonly weightScale: number;
  /** A sigmoid router: element of `vectors` where its bias [E] starts (-1: none), and the groups of experts. Absent: softmax. */
  readonly sigmoid?: { readonly bias: number; readonly groups?: ExpertGroups };
}

/** Bindings: chunk, logits [T, E], vectors, ids u32 [T, K], weights [T, K]. */
export function routerTopkProgram(shape: RouterTopkShape): KernelProgram {
  const { sigmoid } = shape;
  return composeProgram({
    name: 'router-topk',
    body,
    bindings: ['uniform', 'read', 'read', 'read-write', 'read-write'],
    consts: {
      N_EXPERTS: shape.nExperts,
      N_USED: shape.nExpertsUsed,
      NORMALISE: shape.normalise,
      WEIGHT_SCALE: f32(shape.weightScale),
      SIGMOID: sigmoid !== undefined,
      HAS_BIAS: (sigmoid?.bias ?? -1) >= 0,
      BIAS: Math.max(0, sigmoid?.bias ?? 0),
      N_GROUPS: sigmoid?.groups?.count ?? 1,
      GROUPS_USED: sigmoid?.groups?.used ?? 1,
    },
    snippets: [CHUNK_SNIPPET, silu],
  });
}

export function routerTopkGrid(nTokens: number): Grid {
  return grid(Math.ceil(nTokens / 32));
}
