/** `output-matvec`: attention's output projection, bias and residual. */
import type { ComputeType } from '../../quant/types.ts';
import inputPlain from '../../wgsl/input-plain.wgsl';
import { composeLanes, laneGrid, rowUnits, type KernelInstance, type LaneVariant } from '../lanes.ts';
import body from './output-matvec.wgsl';

export interface OutputMatvecShape {
  readonly type: ComputeType;
  readonly cols: number; // H·Hd
  /** Rows of the shard, and which of the D rows is its first. */
  readonly rows: number;
  readonly firstRow: number;
  /** Element of `vectors` where the bias starts. */
  readonly bias: number | null;
}

/** Bindings: weights, vectors, attention [H·Hd], residual [D], h_mid [D]. One dispatch per shard. */
export function outputMatvecKernel(shape: OutputMatvecShape, variant: LaneVariant): KernelInstance {
  const program = composeLanes(variant, {
    name: 'output-matvec',
    body,
    bindings: ['read', 'read', 'read', 'read', 'read-write'],
    consts: {
      UNITS: rowUnits(shape.cols),
      ROWS: shape.rows,
      FIRST_ROW: shape.firstRow,
      HAS_BIAS: shape.bias !== null,
      BIAS: shape.bias ?? 0,
    },
    types: [shape.type],
    snippets: [inputPlain],
  });
  return { program, grid: [laneGrid(variant, Math.ceil(shape.rows / 4)), 1, 1] };
}
