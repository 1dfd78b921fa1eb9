/**
 * Q6_K: 256 weights in sixteen groups of 16, w = (d·sc)·(q − 32). Block: u8 ql[128] (low 4 bits), u8 qh[64] (high 2 bits), i8 sc[16],
 * f16 d. In half h (128 weights) weight 32·j + i has its low bits in ql[64h + 32·(j & 1) + i], nibble j >> 1, its high bits in qh[32h + i] at
 * bit 2j, and the scale sc[8h + 2j + (i >> 4)]. Planes: ql (128), qh (64), sc (16), d (2). After ggml `block_q6_K`, `dequantize_row_q6_K`.
 */
import { extremeOf, linearFit } from './fit.ts';
import { readF16, writeF16 } from './half.ts';
import type { QuantFormat } from './types.ts';

const fround = Math.fround;
const BLOCK_BYTES = 210;
const QH = 128;
const SC = 192;
const D = 208;

function quantiseBlock(weights: Float32Array, out: Uint8Array, at: number): void {
  out.fill(0, at, at + BLOCK_BYTES);
  const scales = Array.from({ length: 16 }, (_, g) => linearFit(weights.subarray(g * 16, g * 16 + 16), 32));
  const d = writeF16(out, at + D, extremeOf(scales) / -128);
  if (d === 0) return quantiseZero(out, at);
  for (let g = 0; g < 16; g++) out[at + SC + g] = Math.max(-128, Math.min(127, Math.round(scales[g] / d)));
  for (let w = 0; w < 256; w++) {
    const scale = d * ((out[at + SC + (w >> 4)] << 24) >> 24);
    const q = scale ? Math.max(-32, Math.min(31, Math.round(weights[w] / scale))) + 32 : 32;
    const [half, j, i] = [w >> 7, (w >> 5) & 3, w & 31];
    out[at + half * 64 + (j & 1) * 32 + i] |= (q & 15) << ((j >> 1) * 4);
    out[at + QH + half * 32 + i] |= (q >> 4) << (j * 2);
  }
}

/** All weights zero (or too small for an f16 scale): q = 32 everywhere, as if each were a true zero. */
function quantiseZero(out: Uint8Array, at: number): void {
  out.fill(0b10101010, at + QH, at + SC);
}

export const q6kFormat: QuantFormat = {
  type: 'Q6_K',
  blockWeights: 256,
  blockBytes: BLOCK_BYTES,
  planes: [
    [{ offsetBytes: 0, lengthBytes: 128 }],
    [{ offsetBytes: QH, lengthBytes: 64 }],
    [{ offsetBytes: SC, lengthBytes: 16 }],
    [{ offsetBytes: D, lengthBytes: 2 }],
  ],
  dequantise(blocks, nBlocks, out) {
    for (let b = 0; b < nBlocks; b++) {
      const at = b * BLOCK_BYTES;
      const d = readF16(blocks, at + D);
      for (let w = 0; w < 256; w++) {
        const [half, j, i] = [w >> 7, (w >> 5) & 3, w & 31];
        const low = (blocks[at + half * 64 + (j & 1) * 32 + i] >> ((j >> 1) * 4)) & 15;
        const high = (blocks[at + QH + half * 32 + i] >> (j * 2)) & 3;
        const scale = (blocks[at + SC + (w >> 4)] << 24) >> 24;
        out[b * 256 + w] = fround(d * scale) * ((low | (high << 4)) - 32);
      }
    }
  },
  quantise(weights, out) {
    for (let b = 0; b < weights.length / 256; b++) {
      quantiseBlock(weights.subarray(b * 256, b * 256 + 256), out, b * BLOCK_BYTES);
    }
  },
};
