/**
 * Q3_K: 256 weights in sixteen groups of 16, w = (d·(sc − 32))·(q − 4). Block: u8 hmask[32] (third bits), u8 qs[64] (low 2 bits), u8 scales[12], f16 d.
 * In half h (128 weights) weight 32·j + i has its low bits in qs[32h + i] at bit 2j, its third bit in hmask[i] at bit 4h + j, and the scale
 * s = 8h + 2j + (i >> 4): low 4 bits in scales[s & 7], nibble s >> 3, high 2 bits in scales[8 + (s & 3)] at bit 2·(s >> 2). Planes: hmask (32),
 * qs (64), scales (12), d (2). After ggml `block_q3_K`, `dequantize_row_q3_K`.
 */
import { extremeOf, linearFit } from './fit.ts';
import { readF16, writeF16 } from './half.ts';
import type { QuantFormat } from './types.ts';

const fround = Math.fround;
const BLOCK_BYTES = 110;
const [QS, SCALES, D] = [32, 96, 108];

function unpackScale(bytes: Uint8Array, at: number, s: number): number {
  const low = (bytes[at + (s & 7)] >> ((s >> 3) * 4)) & 15;
  const high = (bytes[at + 8 + (s & 3)] >> ((s >> 2) * 2)) & 3;
  return (low | (high << 4)) - 32;
}

function packScale(out: Uint8Array, at: number, s: number, scale: number): void {
  out[at + (s & 7)] |= ((scale + 32) & 15) << ((s >> 3) * 4);
  out[at + 8 + (s & 3)] |= ((scale + 32) >> 4) << ((s >> 2) * 2);
}

function quantiseBlock(weights: Float32Array, out: Uint8Array, at: number): void {
  out.fill(0, at, at + BLOCK_BYTES);
  const scales = Array.from({ length: 16 }, (_, s) => linearFit(weights.subarray(s * 16, s * 16 + 16), 4));
  const d = writeF16(out, at + D, extremeOf(scales) / -32);
  const whole = scales.map((scale) => (d ? Math.max(-32, Math.min(31, Math.round(scale / d))) : 0));
  whole.forEach((scale, s) => packScale(out, at + SCALES, s, scale));
  for (let w = 0; w < 256; w++) {
    const scale = d * whole[w >> 4];
    const q = scale ? Math.max(-4, Math.min(3, Math.round(weights[w] / scale))) + 4 : 4;
    const [half, j, i] = [w >> 7, (w >> 5) & 3, w & 31];
    out[at + QS + half * 32 + i] |= (q & 3) << (j * 2);
    out[at + i] |= (q >> 2) << (half * 4 + j);
  }
}

export const q3kFormat: QuantFormat = {
  type: 'Q3_K',
  blockWeights: 256,
  blockBytes: BLOCK_BYTES,
  planes: [
    [{ offsetBytes: 0, lengthBytes: 32 }],
    [{ offsetBytes: QS, lengthBytes: 64 }],
    [{ offsetBytes: SCALES, lengthBytes: 12 }],
    [{ offsetBytes: D, lengthBytes: 2 }],
  ],
  dequantise(blocks, nBlocks, out) {
    for (let b = 0; b < nBlocks; b++) {
      const at = b * BLOCK_BYTES;
      const d = readF16(blocks, at + D);
      for (let w = 0; w < 256; w++) {
        const [half, j, i] = [w >> 7, (w >> 5) & 3, w & 31];
        const low = (blocks[at + QS + half * 32 + i] >> (j * 2)) & 3;
        const high = (blocks[at + i] >> (half * 4 + j)) & 1;
        out[b * 256 + w] = fround(d * unpackScale(blocks, at + SCALES, w >> 4)) * ((low | (high << 2)) - 4);
      }
    }
  },
  quantise(weights, out) {
    for (let b = 0; b < weights.length / 256; b++) {
      quantiseBlock(weights.subarray(b * 256, b * 256 + 256), out, b * BLOCK_BYTES);
    }
  },
};
