/** `experts-matmul-up`: gate, up and activation of every (token, rank) pair with its expert, in sorted order. */
import type { MoeSpec } from '../../architectures/types.ts';
import { composeProgram, kindsOf } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import type { ComputeType } from '../../quant/types.ts';
import { grid, type Grid } from '../prefill-shared/chunk.ts';
import { biasesSnippet, EXPERT_SLOT_SNIPPET, expertMatmulBindings } from '../prefill-shared/expert-slot.ts';
import { ACTIVATION_SNIPPETS } from '../../wgsl/activations.ts';
import unitWgsl from '../prefill-shared/unit.wgsl';
import { maxTiles, TILE_ROWS } from '../experts-sort/experts-sort.ts';
import body from './experts-matmul-up.wgsl';

const LANES = 32;

export interface ExpertsMatmulUpOptions {
  /** Default `silu`. */
  readonly activation?: MoeSpec['activation'];
  /** Elements of `vectors` where the experts' biases [E, F] start; absent: none. */
  readonly biases?: { readonly gate: number; readonly up: number };
}

/** Bindings: expertMatmulBindings with input x [T, D] and output hidden [T·K, F]. One pipeline per pair of types. */
export function expertsMatmulUpProgram(
  gate: ComputeType,
  up: ComputeType,
  { activation = 'silu', biases }: ExpertsMatmulUpOptions = {},
): KernelProgram {
  const { types, kinds } = kindsOf([gate, up]);
  return composeProgram({
    name: 'experts-matmul-up',
    body,
    bindings: expertMatmulBindings(biases !== undefined),
    consts: {
      LANES,
      TILE_ROWS,
      GATE_KIND: kinds[0],
      UP_KIND: kinds[1],
      GATE_BIAS: biases?.gate ?? 0,
      UP_BIAS: biases?.up ?? 0,
      IS_SILU: activation === 'silu',
    },
    types,
    snippets: [EXPERT_SLOT_SNIPPET, biasesSnippet(biases !== undefined), unitWgsl, ACTIVATION_SNIPPETS[activation]],
  });
}

export function expertsMatmulUpGrid(expertWidth: number, nExperts: number, nPairs: number): Grid {
  return grid(Math.ceil(expertWidth / LANES), maxTiles(nExperts, nPairs));
}
