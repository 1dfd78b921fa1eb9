/** Half precision, as keys and values are stored (`pack2x16float`). */
import { f16ToF32, f32ToF16 } from '../../quant/half.ts';

/** The nearest f16 value of `value` taken as f32 first, ties to even: what the GPU stores when it computed that f32. */
export function roundToF16(value: number): number {
  return f16ToF32(f32ToF16(value));
}
