/** The table of tensor types that the engine computes with. */
import { invariant } from '../invariant.ts';
import { bf16Format } from './bf16.ts';
import { f16Format } from './f16.ts';
import { f32Format } from './f32.ts';
import { iq4nlFormat } from './iq4-nl.ts';
import { mxfp4Format } from './mxfp4.ts';
import { q2kFormat } from './q2-k.ts';
import { q3kFormat } from './q3-k.ts';
import { q40Format } from './q4-0.ts';
import { q41Format } from './q4-1.ts';
import { q4kFormat } from './q4-k.ts';
import { q50Format } from './q5-0.ts';
import { q51Format } from './q5-1.ts';
import { q5kFormat } from './q5-k.ts';
import { q6kFormat } from './q6-k.ts';
import { q80Format } from './q8-0.ts';
import { COMPUTE_TYPES, type ComputeType, type QuantFormat } from './types.ts';

const FORMATS: Readonly<Record<ComputeType, QuantFormat>> = {
  F32: f32Format,
  F16: f16Format,
  BF16: bf16Format,
  Q8_0: q80Format,
  Q4_0: q40Format,
  Q4_1: q41Format,
  Q5_0: q50Format,
  Q5_1: q51Format,
  IQ4_NL: iq4nlFormat,
  MXFP4: mxfp4Format,
  Q2_K: q2kFormat,
  Q3_K: q3kFormat,
  Q4_K: q4kFormat,
  Q5_K: q5kFormat,
  Q6_K: q6kFormat,
};

export function quantFormat(type: ComputeType): QuantFormat {
  return FORMATS[type];
}

export function isComputeType(type: string): type is ComputeType {
  return (COMPUTE_TYPES as readonly string[]).includes(type);
}

/** GGUF bytes of `nWeights` weights (whole blocks). */
export function blocksSizeBytes(format: QuantFormat, nWeights: number): number {
  invariant(nWeights % format.blockWeights === 0, `${nWeights} weights are not whole ${format.type} blocks`);
  return (nWeights / format.blockWeights) * format.blockBytes;
}

/** The weights of `blocks` (whole GGUF blocks) as f32. */
export function dequantise(type: ComputeType, blocks: Uint8Array): Float32Array<ArrayBuffer> {
  const format = quantFormat(type);
  invariant(blocks.length % format.blockBytes === 0, `${blocks.length} bytes are not whole ${type} blocks`);
  const nBlocks = blocks.length / format.blockBytes;
  const out = new Float32Array(nBlocks * format.blockWeights);
  format.dequantise(blocks, nBlocks, out);
  return out;
}

/** GGUF blocks of `weights` (a multiple of the type's block). */
export function quantise(type: ComputeType, weights: Float32Array): Uint8Array<ArrayBuffer> {
  const format = quantFormat(type);
  const out = new Uint8Array(blocksSizeBytes(format, weights.length));
  invariant(format.quantise !== undefined, `${type} has no quantiser`);
  format.quantise(weights, out);
  return out;
}
