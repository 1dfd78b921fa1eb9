/**
 * Q4_1: 32 weights w = d·q + m. Block: f16 d, f16 m, u8 qs[16]; weight i < 16 is the low nibble of qs[i], weight 16 + i its
 * high nibble. Planes: qs (16 bytes), d and m (4 bytes). Layout and rounding after ggml `block_q4_1`, `quantize_row_q4_1_ref`.
 */
import { rangeOf } from './fit.ts';
import { readF16, writeF16 } from './half.ts';
import type { QuantFormat } from './types.ts';

const fround = Math.fround;

export const q41Format: QuantFormat = {
  type: 'Q4_1',
  blockWeights: 32,
  blockBytes: 20,
  planes: [[{ offsetBytes: 4, lengthBytes: 16 }], [{ offsetBytes: 0, lengthBytes: 4 }]],
  dequantise(blocks, nBlocks, out) {
    for (let b = 0; b < nBlocks; b++) {
      const d = readF16(blocks, b * 20);
      const m = readF16(blocks, b * 20 + 2);
      for (let i = 0; i < 16; i++) {
        const byte = blocks[b * 20 + 4 + i];
        out[b * 32 + i] = d * (byte & 15) + m;
        out[b * 32 + 16 + i] = d * (byte >> 4) + m;
      }
    }
  },
  quantise(weights, out) {
    for (let b = 0; b < weights.length / 32; b++) {
      const { least, most } = rangeOf(weights.subarray(b * 32, b * 32 + 32));
      const d = fround(fround(most - least) / 15);
      const inverse = d ? fround(1 / d) : 0;
      writeF16(out, b * 20, d);
      writeF16(out, b * 20 + 2, least);
      const level = (w: number) => Math.min(15, Math.trunc(fround(fround(fround(w - least) * inverse) + 0.5)));
      for (let i = 0; i < 16; i++) out[b * 20 + 4 + i] = level(weights[b * 32 + i]) | (level(weights[b * 32 + 16 + i]) << 4);
    }
  },
};
