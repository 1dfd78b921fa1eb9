/** `experts-matmul-up`: gate, up and SwiGLU of every (token, rank) pair with its expert, in sorted order. */
import { composeProgram, kindsOf } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import type { ComputeType } from '../../quant/types.ts';
import { grid, type Grid } from '../prefill-shared/chunk.ts';
import { EXPERT_MATMUL_BINDINGS, EXPERT_SLOT_SNIPPET } from '../prefill-shared/expert-slot.ts';
import siluWgsl from '../../wgsl/silu.wgsl';
import unitWgsl from '../prefill-shared/unit.wgsl';
import { maxTiles, TILE_ROWS } from '../experts-sort/experts-sort.ts';
import body from './experts-matmul-up.wgsl';

const LANES = 32;

export interface ExpertsMatmulUpShape {
  readonly modelWidth: number; // D
  readonly expertWidth: number; // F
  readonly nExpertsUsed: number; // K
  readonly gate: { readonly type: ComputeType; readonly offsetVec4: number };
  readonly up: { readonly type: ComputeType; readonly offsetVec4: number };
  readonly slotStrideBytes: number;
}

/** Bindings: EXPERT_MATMUL_BINDINGS with input x [T, D] and output hidden [T·K, F]. */
export function expertsMatmulUpProgram(shape: ExpertsMatmulUpShape): KernelProgram {
  const { types, kinds } = kindsOf([shape.gate.type, shape.up.type]);
  return composeProgram({
    name: 'experts-matmul-up',
    body,
    bindings: EXPERT_MATMUL_BINDINGS,
    consts: {
      LANES,
      TILE_ROWS,
      UNITS: shape.modelWidth / 32,
      WIDTH: shape.expertWidth,
      N_USED: shape.nExpertsUsed,
      SLOT_VEC4: shape.slotStrideBytes / 16,
      GATE_KIND: kinds[0],
      GATE_OFFSET: shape.gate.offsetVec4,
      UP_KIND: kinds[1],
      UP_OFFSET: shape.up.offsetVec4,
    },
    types,
    snippets: [EXPERT_SLOT_SNIPPET, unitWgsl, siluWgsl],
  });
}

export function expertsMatmulUpGrid(expertWidth: number, nExperts: number, nPairs: number): Grid {
  return grid(Math.ceil(expertWidth / LANES), maxTiles(nExperts, nPairs));
}
