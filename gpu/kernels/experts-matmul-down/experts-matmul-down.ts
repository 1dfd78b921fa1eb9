/** `experts-matmul-down`: the down projection of every pair, from sorted places back to pair order. */
import { composeProgram } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import type { ComputeType } from '../../quant/types.ts';
import { grid, type Grid } from '../prefill-shared/chunk.ts';
import { EXPERT_MATMUL_BINDINGS, EXPERT_SLOT_SNIPPET } from '../prefill-shared/expert-slot.ts';
import unitWgsl from '../prefill-shared/unit.wgsl';
import { maxTiles, TILE_ROWS } from '../experts-sort/experts-sort.ts';
import body from './experts-matmul-down.wgsl';

const LANES = 32;

export interface ExpertsMatmulDownShape {
  readonly modelWidth: number; // D
  readonly expertWidth: number; // F
  readonly down: { readonly type: ComputeType; readonly offsetVec4: number };
  readonly slotStrideBytes: number;
}

/** Bindings: EXPERT_MATMUL_BINDINGS with input hidden [T·K, F] and output [T·K, D] in pair order. */
export function expertsMatmulDownProgram(shape: ExpertsMatmulDownShape): KernelProgram {
  return composeProgram({
    name: 'experts-matmul-down',
    body,
    bindings: EXPERT_MATMUL_BINDINGS,
    consts: {
      LANES,
      TILE_ROWS,
      UNITS: shape.expertWidth / 32,
      WIDTH: shape.modelWidth,
      SLOT_VEC4: shape.slotStrideBytes / 16,
      DOWN_OFFSET: shape.down.offsetVec4,
    },
    types: [shape.down.type],
    snippets: [EXPERT_SLOT_SNIPPET, unitWgsl],
  });
}

export function expertsMatmulDownGrid(modelWidth: number, nExperts: number, nPairs: number): Grid {
  return grid(Math.ceil(modelWidth / (2 * LANES)), maxTiles(nExperts, nPairs));
}
