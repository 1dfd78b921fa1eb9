/** `embed`: the residual row of the token in `state`. */
import { composeProgram, f32 } from '../../device/compose.ts';
import type { ComputeType } from '../../quant/types.ts';
import stateWgsl from '../../wgsl/state.wgsl';
import { rowUnits, type KernelInstance } from '../lanes.ts';
import { uniformWriter } from '../uniforms.ts';
import body from './embed.wgsl';

export interface EmbedShape {
  readonly type: ComputeType;
  readonly modelWidth: number; // D
  readonly scale: number;
}

const WORKGROUP_SIZE = 32;

/** Bindings: params, weights (a shard's planes), state, residual [D]. One dispatch per shard. */
export function embedKernel({ type, modelWidth, scale }: EmbedShape): KernelInstance {
  const units = rowUnits(modelWidth);
  const program = composeProgram({
    name: 'embed',
    body,
    bindings: ['uniform', 'read', 'read', 'read-write'],
    consts: { WORKGROUP_SIZE, UNITS: units, SCALE: f32(scale) },
    types: [type],
    snippets: [stateWgsl],
  });
  return { program, grid: [Math.ceil(units / WORKGROUP_SIZE), 1, 1] };
}

/** `first_row` and `n_rows` of the shard. */
export const embedParams = uniformWriter<{ first_row: number; n_rows: number }>(body, 'Params');
