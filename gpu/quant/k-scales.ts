/**
 * What Q4_K and Q5_K share: f16 d, f16 dmin and twelve bytes of 6-bit numbers at the beginning of a block, a scale sc and a minimum mn for each of
 * eight groups of 32 weights. Layout after ggml `get_scale_min_k4`.
 */
import { affineFit } from './fit.ts';
import { readF16, writeF16 } from './half.ts';

const fround = Math.fround;

/** sc and mn of group `g` from the 12 packed bytes at `at`: [sc, mn]. */
function unpackScale(bytes: Uint8Array, at: number, g: number): [number, number] {
  if (g < 4) return [bytes[at + g] & 63, bytes[at + g + 4] & 63];
  return [(bytes[at + g + 4] & 15) | ((bytes[at + g - 4] >> 6) << 4), (bytes[at + g + 4] >> 4) | ((bytes[at + g] >> 6) << 4)];
}

/** Of group `g` of the block at `at`: [d·sc, dmin·mn], rounded to f32 as ggml does. */
export function groupScale(blocks: Uint8Array, at: number, g: number): [scale: number, offset: number] {
  const [sc, mn] = unpackScale(blocks, at + 4, g);
  return [fround(readF16(blocks, at) * sc), fround(readF16(blocks, at + 2) * mn)];
}

function packScales(out: Uint8Array, at: number, sc: readonly number[], mn: readonly number[]): void {
  for (let g = 0; g < 4; g++) {
    out[at + g] = sc[g] | ((sc[g + 4] >> 4) << 6);
    out[at + g + 4] = mn[g] | ((mn[g + 4] >> 4) << 6);
    out[at + g + 8] = (sc[g + 4] & 15) | ((mn[g + 4] & 15) << 4);
  }
}

/** Fits a block's 256 weights, writes its first 16 bytes and gives the 256 numbers q, each 0 … `levels`. */
export function quantiseGroups(weights: Float32Array, levels: number, out: Uint8Array, at: number): Uint8Array {
  const fits = Array.from({ length: 8 }, (_, g) => affineFit(weights.subarray(g * 32, g * 32 + 32), levels));
  const d = writeF16(out, at, Math.max(...fits.map((fit) => fit.scale)) / 63);
  const dmin = writeF16(out, at + 2, Math.max(...fits.map((fit) => fit.offset)) / 63);
  const sc = fits.map((fit) => (d ? Math.min(63, Math.round(fit.scale / d)) : 0));
  const mn = fits.map((fit) => (dmin ? Math.min(63, Math.round(fit.offset / dmin)) : 0));
  packScales(out, at + 4, sc, mn);
  return Uint8Array.from(weights, (w, i) => {
    const scale = d * sc[i >> 5];
    return scale ? Math.max(0, Math.min(levels, Math.round((w + dmin * mn[i >> 5]) / scale))) : 0;
  });
}
