/** `qkv-matvec`: RMS norm folded into the q, k and v rows, with their biases. */
import { f32, kindsOf } from '../../device/compose.ts';
import type { ComputeType } from '../../quant/types.ts';
import inputNormed from '../../wgsl/input-normed.wgsl';
import { composeLanes, laneGrid, rowUnits, type KernelInstance, type LaneVariant } from '../lanes.ts';
import body from './qkv-matvec.wgsl';

export interface QkvMatvecShape {
  readonly modelWidth: number; // D
  readonly qRows: number; // H·Hd
  readonly kvRows: number; // G·Hd
  readonly types: readonly [q: ComputeType, k: ComputeType, v: ComputeType];
  /** Start of each matrix in `weights`, in units of 16 bytes. */
  readonly basesVec4: readonly [q: number, k: number, v: number];
  /** Elements of `vectors`; the norm at a multiple of 4. */
  readonly norm: number;
  readonly biases: readonly [q: number, k: number, v: number] | null;
  readonly epsilon: number;
}

/** Bindings: weights, vectors, residual [D], qkv [(H + 2G)·Hd]. */
export function qkvMatvecKernel(shape: QkvMatvecShape, variant: LaneVariant): KernelInstance {
  const { types, kinds } = kindsOf(shape.types);
  const program = composeLanes(variant, {
    name: 'qkv-matvec',
    body,
    bindings: ['read', 'read', 'read', 'read-write'],
    consts: {
      UNITS: rowUnits(shape.modelWidth),
      Q_ROWS: shape.qRows,
      KV_ROWS: shape.kvRows,
      Q_KIND: kinds[0],
      K_KIND: kinds[1],
      V_KIND: kinds[2],
      Q_BASE: shape.basesVec4[0],
      K_BASE: shape.basesVec4[1],
      V_BASE: shape.basesVec4[2],
      NORM: shape.norm,
      HAS_BIAS: shape.biases !== null,
      Q_BIAS: shape.biases?.[0] ?? 0,
      K_BIAS: shape.biases?.[1] ?? 0,
      V_BIAS: shape.biases?.[2] ?? 0,
      EPSILON: f32(shape.epsilon),
    },
    types,
    snippets: [inputNormed],
  });
  return { program, grid: [laneGrid(variant, Math.ceil(shape.qRows / 4) + 2 * Math.ceil(shape.kvRows / 4)), 1, 1] };
}
