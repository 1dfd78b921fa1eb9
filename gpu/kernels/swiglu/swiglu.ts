/** `swiglu`: silu(gate) · up of rows that hold gate and up side by side (Shazeer 2020). */
import { composeProgram } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import { CHUNK_SNIPPET, grid, type Grid } from '../prefill-shared/chunk.ts';
import siluWgsl from '../../wgsl/silu.wgsl';
import body from './swiglu.wgsl';

/** Bindings: chunk, gate | up [T, stride], out [T, width]. Both lengths in f32 elements, multiples of 4. */
export function swigluProgram(width: number, stride: number): KernelProgram {
  return composeProgram({
    name: 'swiglu',
    body,
    bindings: ['uniform', 'read', 'read-write'],
    consts: { WIDTH_VEC4: width / 4, STRIDE_VEC4: stride / 4 },
    snippets: [CHUNK_SNIPPET, siluWgsl],
  });
}

export function swigluGrid(width: number, nTokens: number): Grid {
  return grid(Math.ceil((nTokens * width) / 4 / 64));
}
