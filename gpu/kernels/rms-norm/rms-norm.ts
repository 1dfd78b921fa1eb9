/** `rms-norm`: root-mean-square norm of each row (Zhang and Sennrich 2019). */
import { composeProgram, f32 } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import { CHUNK_SNIPPET, grid, type Grid } from '../prefill-shared/chunk.ts';
import body from './rms-norm.wgsl';

/** Bindings: chunk, x [T, width], weights (from element `weightOffset`), out [T, width]. */
export function rmsNormProgram(width: number, weightOffset: number, epsilon: number): KernelProgram {
  return composeProgram({
    name: 'rms-norm',
    body,
    bindings: ['uniform', 'read', 'read', 'read-write'],
    consts: { WIDTH_VEC4: width / 4, WEIGHT_OFFSET: weightOffset, EPSILON: f32(epsilon) },
    snippets: [CHUNK_SNIPPET],
  });
}

export function rmsNormGrid(nTokens: number): Grid {
  return grid(nTokens);
}
