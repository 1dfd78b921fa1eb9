/**
 * IQ4_NL: 32 weights w = d·level, sixteen levels that lie closer near zero. Block: f16 d, u8 qs[16]; weight i < 16 is the low nibble of qs[i], weight
 * 16 + i its high nibble. Planes: qs (16 bytes), d (2). Layout and levels after ggml `block_iq4_nl`, `kvalues_iq4nl`; the quantiser takes the steps of
 * `quantize_row_iq4_nl_ref`, with sums in f64.
 */
import { extremeOf } from './fit.ts';
import { readF16, writeF16 } from './half.ts';
import type { QuantFormat } from './types.ts';

const fround = Math.fround;
const BLOCK_BYTES = 18;
const LEVELS = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] as const;

/** Which level is nearest, of two the upper one. */
function nearest(value: number): number {
  let q = 0;
  while (q < 15 && value - LEVELS[q] >= LEVELS[q + 1] - value) q++;
  return q;
}

export const iq4nlFormat: QuantFormat = {
  type: 'IQ4_NL',
  blockWeights: 32,
  blockBytes: BLOCK_BYTES,
  planes: [[{ offsetBytes: 2, lengthBytes: 16 }], [{ offsetBytes: 0, lengthBytes: 2 }]],
  dequantise(blocks, nBlocks, out) {
    for (let b = 0; b < nBlocks; b++) {
      const d = readF16(blocks, b * BLOCK_BYTES);
      for (let i = 0; i < 16; i++) {
        const byte = blocks[b * BLOCK_BYTES + 2 + i];
        out[b * 32 + i] = d * LEVELS[byte & 15];
        out[b * 32 + 16 + i] = d * LEVELS[byte >> 4];
      }
    }
  },
  quantise(weights, out) {
    for (let b = 0; b < weights.length / 32; b++) {
      const block = weights.subarray(b * 32, b * 32 + 32);
      const extreme = extremeOf(block); // it becomes the first level
      const inverse = extreme ? fround(1 / fround(extreme / LEVELS[0])) : 0;
      const q = Array.from(block, (w) => nearest(fround(w * inverse)));
      let sumQQ = 0; // large weights count more: each by its square
      let sumQW = 0;
      block.forEach((w, i) => {
        sumQQ += w * w * LEVELS[q[i]] ** 2;
        sumQW += w * w * LEVELS[q[i]] * w;
      });
      writeF16(out, b * BLOCK_BYTES, sumQQ > 0 ? sumQW / sumQQ : 0);
      for (let i = 0; i < 16; i++) out[b * BLOCK_BYTES + 2 + i] = q[i] | (q[16 + i] << 4);
    }
  },
};
