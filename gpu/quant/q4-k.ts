/**
 * Q4_K: 256 weights in eight groups of 32, w = (d·sc)·q − (dmin·mn). Block: f16 d, f16 dmin, u8 scales[12] (eight 6-bit sc and
 * eight 6-bit mn), u8 qs[128]: groups 2p and 2p + 1 are the low and high nibbles of qs[32p … 32p + 31]. One plane, not moved
 * (144 bytes are a multiple of 16). Layout after ggml `block_q4_K`, `get_scale_min_k4`, `dequantize_row_q4_K`.
 */
import { groupScale, quantiseGroups } from './k-scales.ts';
import type { QuantFormat } from './types.ts';

const fround = Math.fround;
const BLOCK_BYTES = 144;
const QS = 16;

export const q4kFormat: QuantFormat = {
  type: 'Q4_K',
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
        const to = b * 256 + g * 32;
        for (let i = 0; i < 32; i++) out[to + i] = fround(scale * ((blocks[first + i] >> shift) & 15)) - offset;
      }
    }
  },
  quantise(weights, out) {
    for (let b = 0; b < weights.length / 256; b++) {
      const at = b * BLOCK_BYTES;
      const q = quantiseGroups(weights.subarray(b * 256, b * 256 + 256), 15, out, at);
      for (let i = 0; i < 128; i++) {
        const low = (i >> 5) * 64 + (i & 31);
        out[at + QS + i] = q[low] | (q[low + 32] << 4);
      }
    }
  },
};
