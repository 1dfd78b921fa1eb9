/**
 * f16 and bf16 ↔ f32, rounding to nearest, ties to even, as ggml and WGSL's pack2x16float do.
 * Bit patterns in, bit patterns out; no table, no Float16Array (older Chromium and Node lack it).
 */
const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** The value of an IEEE half. */
export function f16ToF32(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  u32[0] = ((bits & 0x8000) << 16) | ((exponent + 112) << 23) | (fraction << 13);
  return f32[0];
}

/** The nearest half of `value` (taken as f32 first), ties to even; overflow gives infinity, NaN a quiet NaN. */
export function f32ToF16(value: number): number {
  f32[0] = value;
  const bits = u32[0];
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 and up round to infinity
  if (magnitude < 0x38800000) {
    // Below 2^-14 the result is a multiple of 2^-24; the f64 product is exact, so it is rounded once.
    const scaled = Math.abs(f32[0]) * 2 ** 24;
    const floor = Math.floor(scaled);
    const up = scaled - floor > 0.5 || (scaled - floor === 0.5 && (floor & 1) === 1);
    return sign | (floor + (up ? 1 : 0));
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
}

export function bf16ToF32(bits: number): number {
  u32[0] = bits << 16;
  return f32[0];
}

/** The nearest bf16 of `value` (taken as f32 first), ties to even; a NaN stays a (quiet) NaN. */
export function f32ToBf16(value: number): number {
  f32[0] = value;
  const bits = u32[0];
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 64;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

export function readU16(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8);
}

export function writeU16(bytes: Uint8Array, at: number, bits: number): void {
  bytes[at] = bits;
  bytes[at + 1] = bits >> 8;
}

/** Reads the little-endian half at `at`. */
export function readF16(bytes: Uint8Array, at: number): number {
  return f16ToF32(bytes[at] | (bytes[at + 1] << 8));
}

/** Stores `value` as a little-endian half and returns what was stored, as ggml's quantisers need it. */
export function writeF16(bytes: Uint8Array, at: number, value: number): number {
  const bits = f32ToF16(value);
  writeU16(bytes, at, bits);
  return f16ToF32(bits);
}
