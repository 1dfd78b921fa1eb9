/**
 * MXFP4: 32 weights w = 2^(e − 127)·v, v a 4-bit float (E2M1: 0, ½, 1, 1½, 2, 3, 4, 6 and their negatives). Block: u8 e, u8 qs[16]; weight i < 16 is
 * the low nibble of qs[i], weight 16 + i its high nibble. ggml keeps 2v, whole numbers, and halves the scale instead; e = 255, by the OCP specification
 * no number, counts like the others. Planes: qs (16 bytes), e (1 byte). After ggml `block_mxfp4`, `kvalues_mxfp4`, `ggml_e8m0_to_fp32_half`,
 * `quantize_row_mxfp4_ref`; OCP Microscaling Formats (MX) 1.0.
 */
import type { QuantFormat } from './types.ts';

const fround = Math.fround;
const BLOCK_BYTES = 17;
/** 2v of each nibble. */
const LEVELS = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12] as const;

/** Half of e's scale; exact in f32, below 2^-126 as a denormal. */
const halfScale = (e: number) => 2 ** (e - 128);

/** The nibble whose weight is nearest to `w`, the first of equals. */
function nearest(w: number, half: number): number {
  let best = 0;
  let bestError = Infinity;
  for (let q = 0; q < 16; q++) {
    const error = Math.abs(fround(LEVELS[q] * half - w));
    if (error < bestError) [best, bestError] = [q, error];
  }
  return best;
}

export const mxfp4Format: QuantFormat = {
  type: 'MXFP4',
  blockWeights: 32,
  blockBytes: BLOCK_BYTES,
  planes: [[{ offsetBytes: 1, lengthBytes: 16 }], [{ offsetBytes: 0, lengthBytes: 1 }]],
  dequantise(blocks, nBlocks, out) {
    for (let b = 0; b < nBlocks; b++) {
      const half = halfScale(blocks[b * BLOCK_BYTES]);
      for (let i = 0; i < 16; i++) {
        const byte = blocks[b * BLOCK_BYTES + 1 + i];
        out[b * 32 + i] = half * LEVELS[byte & 15];
        out[b * 32 + 16 + i] = half * LEVELS[byte >> 4];
      }
    }
  },
  quantise(weights, out) {
    for (let b = 0; b < weights.length / 32; b++) {
      let largest = 0;
      for (let i = 0; i < 32; i++) largest = Math.max(largest, Math.abs(weights[b * 32 + i]));
      // The largest weight lies between 4 and 8 times the scale, where 6 is the largest v.
      const e = largest > 0 ? Math.max(0, Math.floor(fround(Math.log2(largest))) - 2 + 127) : 0;
      const half = halfScale(e);
      out[b * BLOCK_BYTES] = e;
      for (let i = 0; i < 16; i++)
        out[b * BLOCK_BYTES + 1 + i] = nearest(weights[b * 32 + i], half) | (nearest(weights[b * 32 + 16 + i], half) << 4);
    }
  },
};
