/**
 * Q5_0: 32 weights w = d·(q − 16). Block: f16 d, u8 qh[4] (a little-endian u32: bit i is the fifth bit of weight i), u8 qs[16]; weight i < 16 is the low
 * nibble of qs[i], weight 16 + i its high nibble. Planes: qs (16 bytes), qh (4), d (2). Layout and rounding after ggml `block_q5_0`,
 * `quantize_row_q5_0_ref`.
 */
import { extremeOf } from './fit.ts';
import { readF16, writeF16 } from './half.ts';
import type { QuantFormat } from './types.ts';

const fround = Math.fround;
const BLOCK_BYTES = 22;
const [QH, QS] = [2, 6];

export const q50Format: QuantFormat = {
  type: 'Q5_0',
  blockWeights: 32,
  blockBytes: BLOCK_BYTES,
  planes: [[{ offsetBytes: QS, lengthBytes: 16 }], [{ offsetBytes: QH, lengthBytes: 4 }], [{ offsetBytes: 0, lengthBytes: 2 }]],
  dequantise(blocks, nBlocks, out) {
    for (let b = 0; b < nBlocks; b++) {
      const at = b * BLOCK_BYTES;
      const d = readF16(blocks, at);
      for (let i = 0; i < 32; i++) {
        const low = (blocks[at + QS + (i & 15)] >> (i < 16 ? 0 : 4)) & 15;
        const high = (blocks[at + QH + (i >> 3)] >> (i & 7)) & 1;
        out[b * 32 + i] = d * ((low | (high << 4)) - 16);
      }
    }
  },
  quantise(weights, out) {
    for (let b = 0; b < weights.length / 32; b++) {
      const at = b * BLOCK_BYTES;
      const d = fround(extremeOf(weights.subarray(b * 32, b * 32 + 32)) / -16); // the extreme becomes q = 0, exactly −16
      const inverse = d ? fround(1 / d) : 0;
      out.fill(0, at, at + BLOCK_BYTES);
      writeF16(out, at, d);
      for (let i = 0; i < 32; i++) {
        const q = Math.min(31, Math.trunc(fround(fround(weights[b * 32 + i] * inverse) + 16.5)));
        out[at + QS + (i & 15)] |= (q & 15) << (i < 16 ? 0 : 4);
        out[at + QH + (i >> 3)] |= (q >> 4) << (i & 7);
      }
    }
  },
};
