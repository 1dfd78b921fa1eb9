/** `dense-up`: norm, gate and up rows, SwiGLU of a dense layer. */
import { f32, kindsOf } from '../../device/compose.ts';
import type { ComputeType } from '../../quant/types.ts';
import inputNormed from '../../wgsl/input-normed.wgsl';
import silu from '../../wgsl/silu.wgsl';
import { composeLanes, laneGrid, rowUnits, type KernelInstance, type LaneVariant } from '../lanes.ts';
import body from './dense-up.wgsl';

export interface DenseUpShape {
  readonly modelWidth: number; // D
  readonly width: number; // F
  readonly types: readonly [gate: ComputeType, up: ComputeType];
  readonly basesVec4: readonly [gate: number, up: number];
  /** Element of `vectors` where the norm starts, a multiple of 4. */
  readonly norm: number;
  readonly epsilon: number;
}

/** Bindings: weights, vectors, h_mid [D], hidden [F]. */
export function denseUpKernel(shape: DenseUpShape, variant: LaneVariant): KernelInstance {
  const { types, kinds } = kindsOf(shape.types);
  const program = composeLanes(variant, {
    name: 'dense-up',
    body,
    bindings: ['read', 'read', 'read', 'read-write'],
    consts: {
      UNITS: rowUnits(shape.modelWidth),
      WIDTH: shape.width,
      GATE_KIND: kinds[0],
      UP_KIND: kinds[1],
      GATE_BASE: shape.basesVec4[0],
      UP_BASE: shape.basesVec4[1],
      NORM: shape.norm,
      EPSILON: f32(shape.epsilon),
    },
    types,
    snippets: [inputNormed, silu],
  });
  return { program, grid: [laneGrid(variant, Math.ceil(shape.width / 2)), 1, 1] };
}
