/** `head-matvec`: final norm, logits, and per group of rows what sampling needs. */
import { f32 } from '../../device/compose.ts';
import type { ComputeType } from '../../quant/types.ts';
import inputNormed from '../../wgsl/input-normed.wgsl';
import samplingWgsl from '../../wgsl/sampling.wgsl';
import { composeLanes, laneGrid, rowUnits, type KernelInstance, type LaneVariant } from '../lanes.ts';
import { uniformWriter } from '../uniforms.ts';
import body from './head-matvec.wgsl';

/** Rows per group. Part of the numerics: it fixes the order in which the full mass is summed. Shards start at multiples of it. */
export const GROUP_ROWS = 16;

export interface HeadMatvecShape {
  readonly type: ComputeType;
  readonly modelWidth: number; // D
  readonly epsilon: number;
}

/** Bindings: params, sampling, weights (a shard's planes), globals, residual [D], logits [V], groups. One dispatch per shard. */
export function headMatvecKernel(shape: HeadMatvecShape, shardRows: number, variant: LaneVariant): KernelInstance {
  const program = composeLanes(variant, {
    name: 'head-matvec',
    body,
    bindings: ['uniform', 'uniform', 'read', 'read', 'read', 'read-write', 'read-write'],
    consts: { UNITS: rowUnits(shape.modelWidth), EPSILON: f32(shape.epsilon), GROUP_ROWS },
    types: [shape.type],
    snippets: [samplingWgsl, inputNormed],
  });
  return { program, grid: [laneGrid(variant, Math.ceil(shardRows / GROUP_ROWS)), 1, 1] };
}

/** `first_row` and `n_rows` of the shard. */
export const headMatvecParams = uniformWriter<{ first_row: number; n_rows: number }>(body, 'Params');

/** Bytes of the `groups` buffer. */
export function logitGroupsBytes(vocabularySize: number): number {
  return Math.ceil(vocabularySize / GROUP_ROWS) * 16;
}
