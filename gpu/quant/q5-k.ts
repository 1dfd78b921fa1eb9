/**
 * Q5_K: 256 weights in eight groups of 32, w = (d·sc)·q − (dmin·mn). Block: f16 d, f16 dmin, u8 scales[12] as in Q4_K, u8 qh[32], u8 qs[128]: groups
 * 2p and 2p + 1 are the low and high nibbles of qs[32p … 32p + 31], the fifth bit of weight i of group g is bit g of qh[i]. One plane, not moved
 * (176 bytes are a multiple of 16). Layout after ggml `block_q5_K`, `dequantize_row_q5_K`.
 */
import { groupScale, quantiseGroups } from './k-scales.ts';
import type { QuantFormat } from './types.ts';

const fround = Math.fround;
const BLOCK_BYTES = 176;
const [QH, QS] = [16, 48];

export const q5kFormat: QuantFormat = {
  type: 'Q5_K',
  blockWeights: 256,
  blockBytes: BLOCK_BYTES,
  planes: [[{ offsetBytes: 0, lengthBytes: BLOCK_BYTES }]],
  dequantise(blocks, nBlocks, out) {
    for (let b = 0; b < nBlocks; b++) {
      const at = b * BLOCK_BYTES;
      for (let g = 0; g < 8; g++) {
        const [scale, offset] = groupScale(blocks, at, g);
        const shift = (g & 1) * 4;
        const first = at + QS + (g >> 1) * 32;
        for (let i = 0; i < 32; i++) {
          const q = ((blocks[first + i] >> shift) & 15) | (((blocks[at + QH + i] >> g) & 1) << 4);
          out[b * 256 + g * 32 + i] = fround(scale * q) - offset;
        }
      }
    }
  },
  quantise(weights, out) {
    for (let b = 0; b < weights.length / 256; b++) {
      const at = b * BLOCK_BYTES;
      const q = quantiseGroups(weights.subarray(b * 256, b * 256 + 256), 31, out, at);
      out.fill(0, at + QH, at + BLOCK_BYTES);
      for (let w = 0; w < 256; w++) {
        const [g, i] = [w >> 5, w & 31];
        out[at + QS + (g >> 1) * 32 + i] |= (q[w] & 15) << ((g & 1) * 4);
        out[at + QH + i] |= (q[w] >> 4) << g;
      }
    }
  },
};
