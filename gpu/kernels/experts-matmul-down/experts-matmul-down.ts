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

/** Bindings: EXPERT_MATMUL_BINDINGS with input hidden [T·K, F] and output [T·K, D] in pair order. One pipeline per type. */
export function expertsMatmulDownProgram(down: ComputeType): KernelProgram {
  return composeProgram({
    name: 'experts-matmul-down',
    body,
    bindings: EXPERT_MATMUL_BINDINGS,
    consts: { LANES, TILE_ROWS },
    types: [down],
    snippets: [EXPERT_SLOT_SNIPPET, unitWgsl],
  });
}

export function expertsMatmulDownGrid(modelWidth: number, nExperts: number, nPairs: number): Grid {
  return grid(Math.ceil(modelWidth / (2 * LANES)), maxTiles(nExperts, nPairs));
}
