/**
 * Products as llama.cpp computes them on the CPU: it rounds the activations first, by the type of the weights (ggml's `vec_dot_type`): Q8_0 or
 * Q8_1 blocks of 32 for types with such blocks, Q8_K blocks of 256 for k-quants, f16 and bf16 for those. With them the f64 reference tells
 * this rounding apart from a mistake of ours. Source: ggml/src/ggml-quants.c, ggml/src/ggml-cpu/quants.c.
 */
import { quantFormat } from '../../gpu/quant/formats.ts';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16, readF16 } from '../../gpu/quant/half.ts';
import { matvec } from '../../gpu/reference/ops/matvec.ts';
import type { NumericArray } from '../../gpu/reference/ops/types.ts';
import type { ProductOf } from '../../gpu/reference/weights.ts';

const roundF16 = (value: number) => f16ToF32(f32ToF16(value));
const roundBf16 = (value: number) => bf16ToF32(f32ToBf16(value));

export const llamaProduct: ProductOf = (type, weights, blocks) => {
  switch (type) {
    case 'F32':
      return undefined;
    case 'F16':
      return (x) => matvec(weights, Float64Array.from(x, roundF16));
    case 'BF16':
      return (x) => matvec(weights, Float64Array.from(x, roundBf16));
    case 'Q8_0':
    case 'Q4_0':
    case 'Q5_0':
    case 'IQ4_NL':
    case 'MXFP4':
      return (x) => matvec(weights, roundToQ8(x).rounded);
    case 'Q4_1':
    case 'Q5_1':
      return (x) => multiplyWithSums(weights, blocks, quantFormat(type).blockBytes, x);
    case 'Q2_K':
    case 'Q3_K':
    case 'Q4_K':
    case 'Q5_K':
    case 'Q6_K':
      return (x) => matvec(weights, roundToQ8K(x));
  }
};

/**
 * Q8_0 and Q8_1: per 32 numbers a scale amax / 127, stored as f16; the integers are made with the unrounded one. Q8_1 has also the sum of the
 * rounded numbers, made with the unrounded scale and stored as f16: `sumErrors` is that minus the true sum of `rounded`.
 */
function roundToQ8(x: NumericArray): { rounded: Float64Array; sumErrors: Float64Array } {
  const rounded = Float64Array.from(x, Math.fround);
  const sumErrors = new Float64Array(x.length / 32);
  for (let block = 0; block < sumErrors.length; block++) {
    const part = rounded.subarray(block * 32, block * 32 + 32);
    const scale = Math.fround(part.reduce((max, value) => Math.max(max, Math.abs(value)), 0) / 127);
    if (scale === 0) continue;
    const integers = part.map((value) => roundHalfEven(value / scale));
    const sum = integers.reduce((total, integer) => total + integer, 0);
    const stored = roundF16(scale);
    integers.forEach((integer, i) => (part[i] = integer * stored));
    sumErrors[block] = roundF16(scale * sum) - stored * sum;
  }
  return { rounded, sumErrors };
}

/** Q4_1 or Q5_1 · Q8_1: the blocks' minimum is multiplied with the stored sum, not with the sum of the stored numbers. */
function multiplyWithSums(weights: Float32Array, blocks: Uint8Array, blockBytes: number, x: NumericArray): Float64Array {
  const { rounded, sumErrors } = roundToQ8(x);
  const out = matvec(weights, rounded);
  // Blocks begin with f16 scale, f16 minimum.
  for (let row = 0; row < out.length; row++)
    for (let block = 0; block < sumErrors.length; block++)
      out[row] += readF16(blocks, (row * sumErrors.length + block) * blockBytes + 2) * sumErrors[block];
  return out;
}

/** Q8_K: per 256 numbers the one with the greatest magnitude becomes -127; the scale is f32. */
function roundToQ8K(x: NumericArray): Float64Array {
  const rounded = Float64Array.from(x, Math.fround);
  for (let start = 0; start < rounded.length; start += 256) {
    const part = rounded.subarray(start, start + 256);
    const extreme = part.reduce((found, value) => (Math.abs(value) > Math.abs(found) ? value : found), 0);
    if (extreme === 0) continue;
    const inverse = Math.fround(-127 / extreme);
    part.forEach((value, i) => (part[i] = Math.min(127, roundHalfEven(inverse * value)) / inverse));
  }
  return rounded;
}

function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below;
}
