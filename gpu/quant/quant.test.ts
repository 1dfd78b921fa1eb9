import { describe, expect, it } from 'vitest';
import { blockCopier, openBlockCopier, type BlockCopier } from './block-copier.ts';
import { dequantise, isComputeType, quantFormat, quantise } from './formats.ts';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from './half.ts';
import { fromPlanes, planePlaces, planesSizeBytes, toPlanes, writePlanes, writeSomePlanes } from './planes.ts';
import { COMPUTE_TYPES, type ComputeType } from './types.ts';

/** xorshift32: the seed is in the test's title. */
function randoms(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function gaussian(seed: number, n: number): Float32Array {
  const next = randoms(seed);
  return Float32Array.from({ length: n }, () => Math.sqrt(-2 * Math.log(next() + 1e-12)) * Math.cos(2 * Math.PI * next()));
}

const half = (bits: number) => [bits & 255, bits >> 8];
const repeat = (n: number, byte: number) => new Array<number>(n).fill(byte);

describe('halves', () => {
  it('every f16 goes to f32 and back', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = f16ToF32(bits);
      if (Number.isNaN(value)) expect(Number.isNaN(f16ToF32(f32ToF16(value)))).toBe(true);
      else expect(f32ToF16(value)).toBe(bits);
    }
  });

  it.each([
    [1 + 2 ** -11, 0x3c00], // tie, to even
    [1 + 3 * 2 ** -11, 0x3c02],
    [1 + 2 ** -11 + 2 ** -23, 0x3c01],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [-65520, 0xfc00],
    [2 ** -25, 0], // tie, to even
    [2 ** -25 + 2 ** -48, 1],
    [3 * 2 ** -25, 2],
    [2 ** -14 - 2 ** -25, 0x0400],
    [-0, 0x8000],
    [1e-40, 0],
  ])('f16 of %d', (value, bits) => expect(f32ToF16(value)).toBe(bits));

  it('every bf16 goes to f32 and back; ties go to even', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = bf16ToF32(bits);
      if (!Number.isNaN(value)) expect(f32ToBf16(value)).toBe(bits);
    }
    expect(f32ToBf16(1 + 2 ** -8)).toBe(0x3f80);
    expect(f32ToBf16(1 + 3 * 2 ** -8)).toBe(0x3f82);
    expect(f32ToBf16(1 + 2 ** -8 + 2 ** -20)).toBe(0x3f81);
    expect(Number.isNaN(bf16ToF32(f32ToBf16(NaN)))).toBe(true);
  });
});

describe('blocks worked out by hand', () => {
  it('F32, F16, BF16', () => {
    expect([...dequantise('F32', Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0))]).toEqual([1, -2]);
    expect([...dequantise('F16', Uint8Array.of(0, 0x3c, 0, 0xc0))]).toEqual([1, -2]);
    expect([...dequantise('BF16', Uint8Array.of(0x80, 0x3f, 0, 0xc0))]).toEqual([1, -2]);
  });

  it('Q8_0: d · q', () => {
    const values = dequantise('Q8_0', Uint8Array.from([...half(0x3800), 127, 0x80, 0xff, ...repeat(29, 2)])); // d = 0.5
    expect([...values.slice(0, 4)]).toEqual([63.5, -64, -0.5, 1]);
  });

  it('Q4_0: low nibbles first, then high, minus 8', () => {
    const values = dequantise('Q4_0', Uint8Array.from([...half(0x4000), 0xf0, 0x19, ...repeat(14, 0x88)])); // d = 2
    expect([values[0], values[1], values[2]]).toEqual([-16, 2, 0]);
    expect([values[16], values[17], values[18]]).toEqual([14, -14, 0]);
  });

  it('Q4_1: d · q + m', () => {
    const values = dequantise('Q4_1', Uint8Array.from([...half(0x3800), ...half(0xbc00), 0xf0, 0x19, ...repeat(14, 0)])); // 0.5, -1
    expect([values[0], values[1], values[2]]).toEqual([-1, 3.5, -1]);
    expect([values[16], values[17], values[18]]).toEqual([6.5, -0.5, -1]);
  });

  it('Q5_0: nibbles and fifth bits, minus 16', () => {
    const high = [0b0000_0001, 0, 0b0000_0010, 0b1000_0000]; // of weights 0, 17 and 31
    const values = dequantise('Q5_0', Uint8Array.from([...half(0x4000), ...high, 0xf0, 0x19, ...repeat(14, 0x88)])); // d = 2
    expect([values[0], values[1], values[2], values[15]]).toEqual([0, -14, -16, -16]);
    expect([values[16], values[17], values[18], values[31]]).toEqual([-2, 2, -16, 16]);
  });

  it('Q5_1: d · q + m with fifth bits', () => {
    const high = [0b0000_0001, 0, 0b0000_0010, 0b1000_0000]; // of weights 0, 17 and 31
    const block = [...half(0x3800), ...half(0xbc00), ...high, 0xf0, 0x19, ...repeat(14, 0)]; // d = 0.5, m = -1
    const values = dequantise('Q5_1', Uint8Array.from(block));
    expect([values[0], values[1], values[2]]).toEqual([7, 3.5, -1]);
    expect([values[16], values[17], values[18], values[31]]).toEqual([6.5, 7.5, -1, 7]);
  });

  it('IQ4_NL: d · one of sixteen levels', () => {
    const levels = Array.from({ length: 16 }, (_, i) => i);
    const values = [...dequantise('IQ4_NL', Uint8Array.from([...half(0xc000), ...levels]))]; // d = -2
    const twice = [254, 208, 166, 130, 98, 70, 44, 20, -2, -26, -50, -76, -106, -138, -178, -226];
    expect(values.slice(0, 16)).toEqual(twice);
    expect(values.slice(16)).toEqual(repeat(16, 254));
    expect(dequantise('IQ4_NL', Uint8Array.from([...half(0x3800), ...levels.map((i) => i << 4)]))[16 + 9]).toBe(6.5);
  });

  it('MXFP4: a power of two times a 4-bit float', () => {
    const values = dequantise('MXFP4', Uint8Array.from([126, 0x0f, 0x71, ...repeat(14, 0x80)])); // the scale is 1/2
    expect([...values.slice(0, 3)]).toEqual([-3, 0.25, 0]);
    expect([...values.slice(16, 19)]).toEqual([0, 3, 0]);
    const levels = Uint8Array.from({ length: 16 }, (_, i) => i);
    const doubled = [...dequantise('MXFP4', Uint8Array.of(128, ...levels)).slice(0, 16)];
    expect(doubled).toEqual([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]);
    expect(dequantise('MXFP4', Uint8Array.of(0, 1, ...repeat(15, 0)))[0]).toBe(2 ** -128); // a denormal
    expect(dequantise('MXFP4', Uint8Array.of(1, 1, ...repeat(15, 0)))[0]).toBe(2 ** -127);
    expect(dequantise('MXFP4', Uint8Array.of(254, 1, ...repeat(15, 0)))[0]).toBe(2 ** 126);
  });

  it('Q2_K: a scale and a minimum in each of sixteen bytes', () => {
    const block = new Uint8Array(84);
    block.set([...half(0x3c00), ...half(0x3800)], 80); // d = 1, dmin = 0.5
    block[5] = 0x73; // half 0, j = 2, i from 16 on
    block[13] = 0xf1; // half 1
    block[16 + 20] = 2 << 4;
    block[16 + 32 + 20] = 3 << 4;
    const values = dequantise('Q2_K', block);
    expect(values[20]).toBe(0);
    expect(values[64 + 20]).toBe(3 * 2 - 0.5 * 7);
    expect(values[64 + 21]).toBe(-3.5);
    expect(values[128 + 64 + 20]).toBe(3 - 0.5 * 15);
  });

  it('Q3_K: two low bits, a third one, 6-bit scales from two places', () => {
    const block = new Uint8Array(110);
    block.set(half(0x3800), 108); // d = 0.5
    block[96 + 5] = 0x39; // low bits of scale 5: 9, of scale 13: 3
    block[96 + 9] = 0b01_00_10_00; // high bits of scale 5: 2, of scale 13: 1
    block[32 + 20] = 3 << 4; // half 0, j = 2, i = 20
    block[32 + 32 + 20] = 1 << 4; // half 1
    block[20] = 1 << 2; // third bit of half 0, j = 2, i = 20
    const values = dequantise('Q3_K', block);
    expect(values[0]).toBe(0.5 * (0 - 32) * (0 - 4));
    expect(values[64 + 20]).toBe(0.5 * (9 + 32 - 32) * (3 + 4 - 4));
    expect(values[128 + 64 + 20]).toBe(0.5 * (3 + 16 - 32) * (1 - 4));
  });

  it('Q4_K: 6-bit scales and minima of the first and of the second four groups', () => {
    const block = new Uint8Array(144);
    block.set([...half(0x3c00), ...half(0x3800)]); // d = 1, dmin = 0.5
    block[4 + 1] = 0b01_000011; // group 1: sc 3; group 5: upper bits of sc = 01
    block[4 + 5] = 0b10_000100; // group 1: mn 4; group 5: upper bits of mn = 10
    block[4 + 9] = 0x57; // group 5: sc = 01_0111 = 23, mn = 10_0101 = 37
    block[16 + 2] = 0xa1; // pair 0, i = 2: group 0 low 1, group 1 high 10
    block[16 + 64 + 31] = 0x6c; // pair 2, i = 31: group 4 low 12, group 5 high 6
    const values = dequantise('Q4_K', block);
    expect(values[2]).toBe(0); // group 0 has sc = mn = 0
    expect(values[32 + 2]).toBe(3 * 10 - 0.5 * 4);
    expect(values[32 + 3]).toBe(-2);
    expect(values[5 * 32 + 31]).toBe(23 * 6 - 0.5 * 37);
    expect(values[4 * 32 + 31]).toBe(0);
  });

  it('Q5_K: scales as in Q4_K, a fifth bit per group in each byte of qh', () => {
    const block = new Uint8Array(176);
    block.set([...half(0x3c00), ...half(0x3800)]); // d = 1, dmin = 0.5
    block.set([0b01_000011, 0, 0, 0, 0b10_000100, 0, 0, 0, 0x57], 4 + 1); // groups 1 and 5 as above
    block[16 + 2] = 1 << 1; // i = 2, group 1
    block[16 + 30] = 1 << 5; // i = 30, group 5
    block[48 + 2] = 0xa1; // i = 2: group 0 low 1, group 1 high 10
    block[48 + 64 + 31] = 0x6c; // i = 31: group 4 low 12, group 5 high 6
    const values = dequantise('Q5_K', block);
    expect(values[2]).toBe(0); // group 0 has sc = mn = 0
    expect(values[32 + 2]).toBe(3 * 26 - 0.5 * 4);
    expect(values[32 + 30]).toBe(-2);
    expect(values[5 * 32 + 30]).toBe(23 * 16 - 0.5 * 37);
    expect(values[5 * 32 + 31]).toBe(23 * 6 - 0.5 * 37);
  });

  it('Q6_K: low nibbles, two high bits, signed scales per 16', () => {
    const block = new Uint8Array(210);
    block.set(half(0x3800), 208); // d = 0.5
    for (let g = 0; g < 16; g++) block[192 + g] = g % 2 ? 256 - (g + 1) : g + 1; // 1, -2, 3, -4 …
    block[64 + 32 + 5] = 0x9b; // half 1, j = 1 low 11, j = 3 high 9, i = 5
    block[128 + 32 + 5] = 0b11_00_10_00; // j = 1: 2, j = 3: 3
    const values = dequantise('Q6_K', block);
    expect(values[128 + 32 + 5]).toBe(0.5 * 11 * (11 + 32 - 32)); // group 10, sc 11
    expect(values[128 + 96 + 5]).toBe(0.5 * 15 * (9 + 48 - 32)); // group 14, sc 15
    expect(values[16]).toBe(0.5 * -2 * -32); // group 1, all bits zero
  });
});

/** Largest RMS error relative to the weights' RMS, weights N(0, 1) scaled per block. */
const RMS_BOUND: Record<ComputeType, number> = {
  F32: 0,
  F16: 3e-4,
  BF16: 2.5e-3,
  Q8_0: 0.008,
  Q4_0: 0.11,
  Q4_1: 0.1,
  Q5_0: 0.055,
  Q5_1: 0.05,
  IQ4_NL: 0.1,
  MXFP4: 0.15,
  Q2_K: 0.4,
  Q3_K: 0.22,
  Q4_K: 0.09,
  Q5_K: 0.045,
  Q6_K: 0.025,
};

describe.each(COMPUTE_TYPES)('%s', (type) => {
  const format = quantFormat(type);
  const weights = gaussian(11, 256 * 40).map((w, i) => w * (1 + (i >> 8) / 8));
  const blocks = quantise(type, weights);

  it('round trip stays within the bound (seed 11)', () => {
    const back = dequantise(type, blocks);
    let error = 0;
    let power = 0;
    for (let i = 0; i < weights.length; i++) {
      error += (back[i] - weights[i]) ** 2;
      power += weights[i] ** 2;
    }
    expect(Math.sqrt(error / power)).toBeLessThanOrEqual(RMS_BOUND[type]);
  });

  it('zeros stay zeros', () => {
    expect(dequantise(type, quantise(type, new Float32Array(256))).every((w) => w === 0)).toBe(true);
  });

  it('planes cover the block once, keep the byte count and come back (seed 5)', () => {
    const covered = new Uint8Array(format.blockBytes);
    for (const run of format.planes.flat()) {
      for (let i = 0; i < run.lengthBytes; i++) covered[run.offsetBytes + i]++;
    }
    expect(covered.every((count) => count === 1)).toBe(true);
    const next = randoms(5);
    for (const nBlocks of [1, 3, 8, 33]) {
      const bytes = Uint8Array.from({ length: nBlocks * format.blockBytes }, () => next() * 256);
      const planes = toPlanes(format, bytes, nBlocks);
      expect(planes.length).toBe(planesSizeBytes(format, nBlocks * format.blockWeights));
      expect(planes.length - bytes.length).toBeLessThanOrEqual(15 * format.planes.length);
      expect(planes.length % 16).toBe(0);
      expect(planePlaces(format, nBlocks).every((place) => place.offsetBytes % 16 === 0)).toBe(true);
      expect(fromPlanes(format, planes, nBlocks)).toEqual(bytes);
    }
  });
});

describe('ggml reference rounding', () => {
  it('Q4_0 puts the extreme weight on q = 0, whatever its sign', () => {
    const weights = new Float32Array(32);
    weights[3] = 8;
    weights[4] = -7;
    const block = quantise('Q4_0', weights);
    expect(f16ToF32(block[0] | (block[1] << 8))).toBe(-1);
    expect(block[2 + 3]).toBe(0x80);
    expect(block[2 + 4]).toBe(0x8f);
  });

  it('MXFP4 takes its scale from the largest weight, and the nearer level, the first of two', () => {
    const weights = new Float32Array(32);
    weights.set([7.9, -0.2, 0.25, 0.75, -5, -8 + 2 ** -20]); // the largest lies in 4 … 8: scale 1
    expect([...quantise('MXFP4', weights).slice(0, 7)]).toEqual([127, 7, 0, 0, 1, 0xe, 0xf]);
    weights[31] = 8; // 8 … 16: scale 2; 1.25 times it is a tie too
    weights[0] = 2.5;
    expect([...quantise('MXFP4', weights).slice(0, 2)]).toEqual([128, 2]);
  });

  it('Q8_0 rounds halves away from zero', () => {
    const weights = new Float32Array(32);
    weights.set([127, 2.5, -2.5, -127]);
    expect([...quantise('Q8_0', weights).slice(2, 6)]).toEqual([127, 3, 253, 129]);
  });

  it('Q4_K fixtures have varied scales and minima (seed 3)', () => {
    const blocks = quantise('Q4_K', gaussian(3, 256 * 8));
    const distinct = new Set<number>();
    for (let b = 0; b < 8; b++) for (let g = 0; g < 4; g++) distinct.add(blocks[b * 144 + 4 + g] & 63);
    expect(distinct.size).toBeGreaterThan(8);
  });
});

it('planes of two Q4_1 blocks: nibbles of both, then d and m of both', () => {
  const blocks = Uint8Array.from({ length: 40 }, (_, i) => i);
  const planes = toPlanes(quantFormat('Q4_1'), blocks, 2);
  expect([...planes]).toEqual([
    ...Array.from({ length: 16 }, (_, i) => 4 + i),
    ...Array.from({ length: 16 }, (_, i) => 24 + i),
    ...[0, 1, 2, 3, 20, 21, 22, 23, ...repeat(8, 0)],
  ]);
});

it.each(COMPUTE_TYPES)('planes of %s are the same with the copier and without, at any address (seed 6)', (type) => {
  const format = quantFormat(type);
  const copier = blockCopier();
  expect(copier).not.toBeNull(); // Node has WebAssembly
  const next = randoms(6);
  for (const [nBlocks, at] of [
    [1, 1],
    [33, 2],
    [9001, 3],
  ]) {
    const memory = Uint8Array.from({ length: at + nBlocks * format.blockBytes }, () => next() * 256);
    const sizeBytes = planesSizeBytes(format, nBlocks * format.blockWeights);
    const planesOf = (blocks: Uint8Array, chosen: BlockCopier | null) => {
      const out = new Uint8Array(sizeBytes + at).fill(255).subarray(at);
      writePlanes(format, blocks, nBlocks, out, chosen);
      return out;
    };
    const withIt = planesOf(memory.subarray(at), copier);
    expect(Buffer.compare(withIt, planesOf(memory.subarray(at), null)), `${nBlocks} blocks`).toBe(0);
    const owner = openBlockCopier(memory.length)!;
    owner.own.set(memory);
    expect(Buffer.compare(withIt, planesOf(owner.own.subarray(at), owner)), `${nBlocks} blocks in its own memory`).toBe(0);
    expect(Buffer.compare(fromPlanes(format, withIt, nBlocks), memory.subarray(at)), `${nBlocks} blocks back`).toBe(0);
  }
});

it.each(COMPUTE_TYPES)('planes of %s from pieces in any order are those of the whole (seed 7)', (type) => {
  const format = quantFormat(type);
  const next = randoms(7);
  const nBlocks = 5003;
  const blocks = Uint8Array.from({ length: nBlocks * format.blockBytes }, () => next() * 256);
  const whole = toPlanes(format, blocks, nBlocks);
  const pieces = [0, 1, 4000, 17].map((count, i, counts) => ({
    first: counts.slice(0, i).reduce((a, b) => a + b, 0),
    count,
    nBlocks,
  }));
  pieces.push({ first: 4018, count: nBlocks - 4018, nBlocks });
  for (const copier of [blockCopier(), null]) {
    const out = new Uint8Array(whole.length).fill(255);
    for (const some of pieces.reverse()) {
      const bytes = blocks.subarray(some.first * format.blockBytes, (some.first + some.count) * format.blockBytes);
      writeSomePlanes(format, bytes, some, out, copier);
    }
    expect(Buffer.compare(out, whole), copier ? 'copier' : 'without').toBe(0);
  }
});

it('knows which types it computes with', () => {
  expect(isComputeType('Q6_K')).toBe(true);
  expect(isComputeType('IQ4_XS')).toBe(false);
});
