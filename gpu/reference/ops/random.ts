/**
 * The draw of a sampled token: a pure function of (seed, position), so that nothing accumulates from step to step. Exact u32
 * arithmetic, mirrored word for word in WGSL. Mixing: the 32-bit finaliser of MurmurHash3 (Austin Appleby, public domain).
 */

/** Every bit of the input changes each bit of the output with probability near 1/2. A bijection of u32. */
export function mixU32(x: number): number {
  let h = x >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * u32 draw for the token at absolute `position` (the position that the sampled token will have):
 * mix(mix(seed + 0x9E3779B9) + position · 0x9E3779B1), all modulo 2^32.
 */
export function drawU32(seed: number, position: number): number {
  return mixU32((mixU32((seed + 0x9e3779b9) >>> 0) + Math.imul(position, 0x9e3779b1)) >>> 0);
}

/** The draw as a number in [0, 1): its upper 24 bits over 2^24, exact in f32. */
export function drawUnit(seed: number, position: number): number {
  return (drawU32(seed, position) >>> 8) / 2 ** 24;
}
