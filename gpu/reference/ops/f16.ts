/** IEEE 754 half precision, as keys and values are stored (`pack2x16float`). */

/** The nearest f16 value, ties to even. Above 65520 it is an infinity, as in IEEE arithmetic. */
export function roundToF16(value: number): number {
  const magnitude = Math.abs(value);
  if (!(magnitude > 0) || magnitude === Infinity) return value;
  if (magnitude >= 65520) return Math.sign(value) * Infinity;
  // Spacing of f16 numbers around `magnitude`: 2^(e-10) for normal numbers, 2^-24 below the least normal one, 2^-14.
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14);
  const spacing = 2 ** (exponent - 10);
  const steps = magnitude / spacing; // exact: a power of two
  const below = Math.floor(steps);
  const rest = steps - below;
  const rounded = rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
  return Math.sign(value) * rounded * spacing;
}

/** Bits of the nearest f16 value of `value`, 0…0xFFFF. */
export function f16Bits(value: number): number {
  const rounded = roundToF16(value);
  const sign = rounded < 0 || Object.is(rounded, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(rounded);
  if (Number.isNaN(rounded)) return 0x7e00;
  if (magnitude === Infinity) return sign | 0x7c00;
  if (magnitude < 2 ** -14) return sign | (magnitude * 2 ** 24);
  const exponent = Math.floor(Math.log2(magnitude));
  return sign | ((exponent + 15) << 10) | (magnitude / 2 ** (exponent - 10) - 1024);
}

/** The value of f16 `bits`. */
export function f16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}
