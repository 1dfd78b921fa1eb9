/** `dense-down`: down rows and residual of a dense layer. */
import type { ComputeType } from '../../quant/types.ts';
import inputPlain from '../../wgsl/input-plain.wgsl';
import { composeLanes, laneGrid, rowUnits, type KernelInstance, type LaneVariant } from '../lanes.ts';
import body from './dense-down.wgsl';

export interface DenseDownShape {
  readonly type: ComputeType;
  readonly cols: number; // F
  /** Rows of the shard, and which of the D rows is its first. */
  readonly rows: number;
  readonly firstRow: number;
}

/** Bindings: weights, hidden [F], h_mid [D], h_out [D]. One dispatch per shard. */
export function denseDownKernel(shape: DenseDownShape, variant: LaneVariant): KernelInstance {
  const program = composeLanes(variant, {
    name: 'dense-down',
    body,
    bindings: ['read', 'read', 'read', 'read-write'],
    consts: { UNITS: rowUnits(shape.cols), ROWS: shape.rows, FIRST_ROW: shape.firstRow },
    types: [shape.type],
    snippets: [inputPlain],
  });
  return { program, grid: [laneGrid(variant, Math.ceil(shape.rows / 4)), 1, 1] };
}
