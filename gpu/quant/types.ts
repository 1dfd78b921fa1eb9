/**
 * One description per tensor type: block geometry in the file, plane layout on the GPU, CPU codec.
 *
 * Plane layout ("planes"): GPU storage is read as `array<vec4<u32>>`, so a tensor's blocks are split into planes that
 * keep every load aligned. The total is GGUF's byte count plus at most 15 bytes of padding per plane. Plane p starts at
 * the 16-byte-aligned end of plane p-1; inside a plane, block b of the whole tensor (row-major) starts at
 * b · bytesPerBlock. Types that are already 16-aligned (F32, F16, BF16, Q4_K, Q5_K) have one plane and are not moved. Q8_0: q, d ·
 * Q4_0: qs, d · Q4_1: qs, (d, m) · Q5_0: qs, qh, d · Q5_1: qs, (d, m, qh) · IQ4_NL: qs, d · MXFP4: qs, e ·
 * Q2_K: scales, qs, (d, dmin) · Q3_K: hmask, qs, scales, d · Q6_K: ql, qh, scales, d. The last plane is padded too.
 */
import type { GgmlTypeName } from '../gguf/types.ts';

/** The types that the engine computes with. */
export const COMPUTE_TYPES = [
  'F32',
  'F16',
  'BF16',
  'Q8_0',
  'Q4_0',
  'Q4_1',
  'Q5_0',
  'Q5_1',
  'IQ4_NL',
  'MXFP4',
  'Q2_K',
  'Q3_K',
  'Q4_K',
  'Q5_K',
  'Q6_K',
] as const satisfies readonly GgmlTypeName[];
export type ComputeType = (typeof COMPUTE_TYPES)[number];

/** A run of bytes of each block that goes to one plane. */
export interface PlaneRun {
  /** Offset of the run inside a GGUF block. */
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

export interface QuantFormat {
  readonly type: ComputeType;
  /** Weights per block (1 for F32, F16, BF16; 32; 256). Rows are whole blocks. */
  readonly blockWeights: number;
  readonly blockBytes: number;
  /** Plane p of block b is the concatenation of these runs. The runs of all planes cover the block exactly once. */
  readonly planes: readonly (readonly PlaneRun[])[];
  /** Dequantises `nBlocks` GGUF blocks. `out` has nBlocks · blockWeights places. f32 arithmetic as ggml does it. */
  dequantise(blocks: Uint8Array, nBlocks: number, out: Float32Array): void;
  /** Where we have a quantiser of our own (all have one now, for fixtures and upcycling). */
  quantise?(weights: Float32Array, out: Uint8Array): void;
}
