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

/** Bindings: EXPERT_MATMUL_BINDINGS with input x [T, D] and output hidden [T·K, F]. One pipeline per pair of types. */
export function expertsMatmulUpProgram(gate: ComputeType, up: ComputeType): KernelProgram {
  const { types, kinds } = kindsOf([gate, up]);
  return composeProgram({
    name: 'experts-matmul-up',
    body,
    bindings: EXPERT_MATMUL_BINDINGS,
    consts: { LANES, TILE_ROWS, GATE_KIND: kinds[0], UP_KIND: kinds[1] },
    types,
    snippets: [EXPERT_SLOT_SNIPPET, unitWgsl, siluWgsl],
  });
}

export function expertsMatmulUpGrid(expertWidth: number, nExperts: number, nPairs: number): Grid {
  return grid(Math.ceil(expertWidth / LANES), maxTiles(nExperts, nPairs));
}
