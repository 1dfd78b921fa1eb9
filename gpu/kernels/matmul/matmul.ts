/** `matmul`: rows of activations times a weight matrix, with bias and residual epilogues. One pipeline per tensor type. */
import { composeProgram } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import type { ComputeType } from '../../quant/types.ts';
import { CHUNK_SNIPPET, grid, type Grid } from '../prefill-shared/chunk.ts';
import unitWgsl from '../prefill-shared/unit.wgsl';
import { uniformWriter } from '../uniforms.ts';
import body from './matmul.wgsl';

const LANES = 32;
/** Measured on lavapipe and SwiftShader (notes.md): 32 gains less than the noise. */
const TILE_TOKENS = 16;
const NO_BIAS = 0xffffffff;

/** Bindings: chunk, params, weights, x, vectors, residual, out. A matrix without bias or residual binds anything readable there. */
export function matmulProgram(type: ComputeType): KernelProgram {
  return composeProgram({
    name: 'matmul',
    body,
    bindings: ['uniform', 'uniform', 'read', 'read', 'read', 'read', 'read-write'],
    consts: { LANES, TILE_TOKENS },
    types: [type],
    snippets: [CHUNK_SNIPPET, unitWgsl],
  });
}

export interface MatmulShape {
  readonly rows: number; // N
  readonly cols: number; // K, a multiple of 32
  /** Start of the matrix in its binding, in vec4. */
  readonly baseVec4?: number;
  /** Row length of x in f32 elements, a multiple of 4. Default: cols. */
  readonly xStride?: number;
  /** Row length of out (and of the residual) and the first column that is written. Default: rows, 0. */
  readonly outStride?: number;
  readonly outColumn?: number;
  /** Element of `vectors` where the bias starts; -1: none. */
  readonly bias?: number;
  readonly residual?: boolean;
}

const write = uniformWriter(body, 'Params');

export function matmulParams(shape: MatmulShape): Uint8Array<ArrayBuffer> {
  const { rows, cols, baseVec4 = 0, xStride = cols, outStride = rows, outColumn = 0, bias = -1, residual = false } = shape;
  return write({
    rows,
    units: cols / 32,
    base: baseVec4,
    x_stride: xStride / 4,
    out_stride: outStride,
    out_col: outColumn,
    bias: bias < 0 ? NO_BIAS : bias,
    has_residual: residual ? 1 : 0,
  });
}

export function matmulGrid(rows: number, nTokens: number): Grid {
  return grid(Math.ceil(rows / (2 * LANES)), Math.ceil(nTokens / TILE_TOKENS));
}
