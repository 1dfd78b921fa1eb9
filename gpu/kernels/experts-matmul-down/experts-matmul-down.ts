/** `experts-matmul-down`: the down projection of every pair, from sorted places back to pair order. */
import { composeProgram } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import type { ComputeType } from '../../quant/types.ts';
import { grid, type Grid } from '../prefill-shared/chunk.ts';
import { biasesSnippet, EXPERT_SLOT_SNIPPET, expertMatmulBindings } from '../prefill-shared/expert-slot.ts';
import unitWgsl from '../prefill-shared/unit.wgsl';
import { maxTiles, TILE_ROWS } from '../experts-sort/experts-sort.ts';
import body from './experts-matmul-down.wgsl';

const LANES = 32;

/**
 * Bindings: expertMatmulBindings with input hidden [T·K, F] and output [T·K, D] in pair order. One pipeline per type. `biases`: element
 * of `vectors` where the experts' biases [E, D] start; absent: none.
 */
export function expertsMatmulDownProgram(down: ComputeType, biases?: number): KernelProgram {
  return composeProgram({
    name: 'experts-matmul-down',
    body,
    bindings: expertMatmulBindings(biases !== undefined),
    consts: { LANES, TILE_ROWS, BIAS: biases ?? 0 },
    types: [down],
    snippets: [EXPERT_SLOT_SNIPPET, biasesSnippet(biases !== undefined), unitWgsl],
  });
}

export function expertsMatmulDownGrid(modelWidth: number, nExperts: number, nPairs: number): Grid {
  return grid(Math.ceil(modelWidth / (2 * LANES)), maxTiles(nExperts, nPairs));
}
