/**
 * Q4_K: 256 weights in eight groups of 32, w = (d·sc)·q − (dmin·mn). Block: f16 d, f16 dmin, u8 scales[12] (eight 6-bit sc and
 * eight 6-bit mn), u8 qs[128]: groups 2p and 2p + 1 are the low and high nibbles of qs[32p … 32p + 31]. One plane, not moved
 * (144 bytes are a multiple of 16). Layout after ggml `block_q4_K`, `get_scale_min_k4`, `dequantize_row_q4_K`.
 */
import { affineFit } from './fit.ts';
import { readF16, writeF16 } from './half.ts';
import type { QuantFormat } from './types.ts';

const fround = Math.fround;
const BLOCK_BYTES = 144;

/** sc and mn of group `g` from the 12 packed bytes at `at`: [sc, mn]. */
function unpackScale(bytes: Uint8Array, at: number, g: number): [number, number] {
  if (g < 4) return [bytes[at + g] & 63, bytes[at + g + 4] & 63];
  return [(bytes[at + g + 4] & 15) | ((bytes[at + g - 4] >> 6) << 4), (bytes[at + g + 4] >> 4) | ((bytes[at + g] >> 6) << 4)];
}

function packScales(out: Uint8Array, at: number, sc: readonly number[], mn: readonly number[]): void {
  for (let g = 0; g < 4; g++) {
    out[at + g] = sc[g] | ((sc[g + 4] >> 4) << 6);
    out[at + g + 4] = mn[g] | ((mn[g + 4] >> 4) << 6);
    out[at + g + 8] = (sc[g + 4] & 15) | ((mn[g + 4] & 15) << 4);
  }
}

function quantiseBlock(weights: Float32Array, out: Uint8Array, at: number): void {
  const fits = Array.from({ length: 8 }, (_, g) => affineFit(weights.subarray(g * 32, g * 32 + 32), 15));
  const d = writeF16(out, at, Math.max(...fits.map((fit) => fit.scale)) / 63);
  const dmin = writeF16(out, at + 2, Math.max(...fits.map((fit) => fit.offset)) / 63);
  const sc = fits.map((fit) => (d ? Math.min(63, Math.round(fit.scale / d)) : 0));
  const mn = fits.map((fit) => (dmin ? Math.min(63, Math.round(fit.offset / dmin)) : 0));
  packScales(out, at + 4, sc, mn);
  for (let g = 0; g < 8; g++) {
    const scale = d * sc[g];
    const offset = dmin * mn[g];
    const shift = (g & 1) * 4;
    const first = at + 16 + (g >> 1) * 32;
    for (let i = 0; i < 32; i++) {
      const q = scale ? Math.max(0, Math.min(15, Math.round((weights[g * 32 + i] + offset) / scale))) : 0;
      out[first + i] = shift ? out[first + i] | (q << 4) : q;
    }
  }
}

export const q4kFormat: QuantFormat = {
  type: 'Q4_K',
  blockWeights: 256,
  blockBytes: BLOCK_BYTES,
  planes: [[{ offsetBytes: 0, lengthBytes: BLOCK_BYTES }]],
  dequantise(blocks, nBlocks, out) {
    for (let b = 0; b < nBlocks; b++) {
      const at = b * BLOCK_BYTES;
      const d = readF16(blocks, at);
      const dmin = readF16(blocks, at + 2);
      for (let g = 0; g < 8; g++) {
        const [sc, mn] = unpackScale(blocks, at + 4, g);
        const scale = fround(d * sc);
        const offset = fround(dmin * mn);
        const shift = (g & 1) * 4;
        const first = at + 16 + (g >> 1) * 32;
        const to = b * 256 + g * 32;
        for (let i = 0; i < 32; i++) out[to + i] = fround(scale * ((blocks[first + i] >> shift) & 15)) - offset;
      }
    }
  },
  quantise(weights, out) {
    for (let b = 0; b < weights.length / 256; b++) {
      quantiseBlock(weights.subarray(b * 256, b * 256 + 256), out, b * BLOCK_BYTES);
    }
  },
};
