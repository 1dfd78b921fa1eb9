/**
 * Q2_K: 256 weights in sixteen groups of 16, w = (d·sc)·q − (dmin·mn). Block: u8 scales[16] (sc in the low nibble, mn in the high one), u8 qs[64],
 * f16 d, f16 dmin. In half h (128 weights) weight 32·j + i is in qs[32h + i] at bit 2j and has the scale scales[8h + 2j + (i >> 4)].
 * Planes: scales (16 bytes), qs (64), d and dmin (4). After ggml `block_q2_K`, `dequantize_row_q2_K`.
 */
import { affineFit } from './fit.ts';
import { readF16, writeF16 } from './half.ts';
import type { QuantFormat } from './types.ts';

const fround = Math.fround;
const BLOCK_BYTES = 84;
const [QS, D] = [16, 80];

function quantiseBlock(weights: Float32Array, out: Uint8Array, at: number): void {
  out.fill(0, at, at + BLOCK_BYTES);
  const fits = Array.from({ length: 16 }, (_, g) => affineFit(weights.subarray(g * 16, g * 16 + 16), 3));
  const d = writeF16(out, at + D, Math.max(...fits.map((fit) => fit.scale)) / 15);
  const dmin = writeF16(out, at + D + 2, Math.max(...fits.map((fit) => fit.offset)) / 15);
  const sc = fits.map((fit) => (d ? Math.min(15, Math.round(fit.scale / d)) : 0));
  const mn = fits.map((fit) => (dmin ? Math.min(15, Math.round(fit.offset / dmin)) : 0));
  for (let g = 0; g < 16; g++) out[at + g] = sc[g] | (mn[g] << 4);
  for (let w = 0; w < 256; w++) {
    const scale = d * sc[w >> 4];
    const q = scale ? Math.max(0, Math.min(3, Math.round((weights[w] + dmin * mn[w >> 4]) / scale))) : 0;
    out[at + QS + (w >> 7) * 32 + (w & 31)] |= q << (((w >> 5) & 3) * 2);
  }
}

export const q2kFormat: QuantFormat = {
  type: 'Q2_K',
  blockWeights: 256,
  blockBytes: BLOCK_BYTES,
  planes: [[{ offsetBytes: 0, lengthBytes: 16 }], [{ offsetBytes: QS, lengthBytes: 64 }], [{ offsetBytes: D, lengthBytes: 4 }]],
  dequantise(blocks, nBlocks, out) {
    for (let b = 0; b < nBlocks; b++) {
      const at = b * BLOCK_BYTES;
      const d = readF16(blocks, at + D);
      const dmin = readF16(blocks, at + D + 2);
      for (let w = 0; w < 256; w++) {
        const packed = blocks[at + (w >> 4)];
        const q = (blocks[at + QS + (w >> 7) * 32 + (w & 31)] >> (((w >> 5) & 3) * 2)) & 3;
        out[b * 256 + w] = fround(fround(d * (packed & 15)) * q) - fround(dmin * (packed >> 4));
      }
    }
  },
  quantise(weights, out) {
    for (let b = 0; b < weights.length / 256; b++) {
      quantiseBlock(weights.subarray(b * 256, b * 256 + 256), out, b * BLOCK_BYTES);
    }
  },
};
