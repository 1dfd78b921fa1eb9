/** `experts-combine`: weighs and adds each token's expert outputs in rank order, then the shared expert, then the residual. */
import { composeProgram } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import { CHUNK_SNIPPET, grid, type Grid } from '../prefill-shared/chunk.ts';
import siluWgsl from '../../wgsl/silu.wgsl';
import body from './experts-combine.wgsl';

export interface ExpertsCombineShape {
  readonly modelWidth: number; // D
  readonly nExpertsUsed: number; // K
  readonly hasShared: boolean;
  /** Where the shared expert's gate logit stands in the rows bound as `shared_gate`; absent: weight 1. */
  readonly sharedGate?: { readonly stride: number; readonly column: number };
}

/** Bindings: chunk, pair outputs [T·K, D], weights [T, K], residual [T, D], shared output [T, D], shared gate rows, out [T, D]. */
export function expertsCombineProgram(shape: ExpertsCombineShape): KernelProgram {
  return composeProgram({
    name: 'experts-combine',
    body,
    bindings: ['uniform', 'read', 'read', 'read', 'read', 'read', 'read-write'],
    consts: {
      WIDTH_VEC4: shape.modelWidth / 4,
      N_USED: shape.nExpertsUsed,
      HAS_SHARED: shape.hasShared,
      HAS_SHARED_GATE: shape.sharedGate !== undefined,
      GATE_STRIDE: shape.sharedGate?.stride ?? 1,
      GATE_COL: shape.sharedGate?.column ?? 0,
    },
    snippets: [CHUNK_SNIPPET, siluWgsl],
  });
}

export function expertsCombineGrid(modelWidth: number, nTokens: number): Grid {
  return grid(Math.ceil((nTokens * modelWidth) / 4 / 64));
}
