/**
 * Q8_0: 32 weights w = d·q. Block: f16 d, i8 q[32]. Planes: q (32 bytes), d (2 bytes).
 * Layout and rounding after ggml `block_q8_0`, `quantize_row_q8_0_ref` (ggml-quants.c).
 */
import { readF16, writeF16 } from './half.ts';
import type { QuantFormat } from './types.ts';

const fround = Math.fround;

export const q80Format: QuantFormat = {
  type: 'Q8_0',
  blockWeights: 32,
  blockBytes: 34,
  planes: [[{ offsetBytes: 2, lengthBytes: 32 }], [{ offsetBytes: 0, lengthBytes: 2 }]],
  dequantise(blocks, nBlocks, out) {
    for (let b = 0; b < nBlocks; b++) {
      const d = readF16(blocks, b * 34);
      for (let i = 0; i < 32; i++) out[b * 32 + i] = d * ((blocks[b * 34 + 2 + i] << 24) >> 24);
    }
  },
  quantise(weights, out) {
    for (let b = 0; b < weights.length / 32; b++) {
      let largest = 0;
      for (let i = 0; i < 32; i++) largest = Math.max(largest, Math.abs(weights[b * 32 + i]));
      const d = fround(largest / 127);
      const inverse = d ? fround(1 / d) : 0;
      writeF16(out, b * 34, d);
      for (let i = 0; i < 32; i++) {
        const scaled = fround(weights[b * 32 + i] * inverse);
        out[b * 34 + 2 + i] = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5); // half away from zero, as roundf
      }
    }
  },
};
