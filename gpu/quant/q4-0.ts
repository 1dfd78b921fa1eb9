/**
 * Q4_0: 32 weights w = d·(q − 8). Block: f16 d, u8 qs[16]; weight i < 16 is the low nibble of qs[i], weight 16 + i its high
 * nibble. Planes: qs (16 bytes), d (2 bytes). Layout and rounding after ggml `block_q4_0`, `quantize_row_q4_0_ref`.
 */
import { extremeOf } from './fit.ts';
import { readF16, writeF16 } from './half.ts';
import type { QuantFormat } from './types.ts';

const fround = Math.fround;

export const q40Format: QuantFormat = {
  type: 'Q4_0',
  blockWeights: 32,
  blockBytes: 18,
  planes: [[{ offsetBytes: 2, lengthBytes: 16 }], [{ offsetBytes: 0, lengthBytes: 2 }]],
  dequantise(blocks, nBlocks, out) {
    for (let b = 0; b < nBlocks; b++) {
      const d = readF16(blocks, b * 18);
      for (let i = 0; i < 16; i++) {
        const byte = blocks[b * 18 + 2 + i];
        out[b * 32 + i] = d * ((byte & 15) - 8);
        out[b * 32 + 16 + i] = d * ((byte >> 4) - 8);
      }
    }
  },
  quantise(weights, out) {
    for (let b = 0; b < weights.length / 32; b++) {
      const d = fround(extremeOf(weights.subarray(b * 32, b * 32 + 32)) / -8); // the extreme becomes q = 0, exactly −8
      const inverse = d ? fround(1 / d) : 0;
      writeF16(out, b * 18, d);
      const level = (w: number) => Math.min(15, Math.trunc(fround(fround(w * inverse) + 8.5)));
      for (let i = 0; i < 16; i++) out[b * 18 + 2 + i] = level(weights[b * 32 + i]) | (level(weights[b * 32 + 16 + i]) << 4);
    }
  },
};
