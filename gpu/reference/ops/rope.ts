/** Rotary position embedding (Su et al. 2021), both pairings, per-pair frequency factors and linear position scale. */
import type { NumericArray } from './types.ts';

export interface RopeNumbers {
  readonly pairing: 'interleaved' | 'halves';
  /** Even; leading dims of a head that rotate. */
  readonly dims: number;
  readonly base: number;
  readonly scale: number;
}

/**
 * Angle per position of each pair, `[dims/2]`: scale · base^(-2i/dims) / factors[i]. The GPU holds these rounded to f32; pass that
 * rounded array to the kernels' references when a test compares bits of the angle.
 */
export function ropeInverseFrequencies(rope: RopeNumbers, factors?: NumericArray): Float64Array {
  const out = new Float64Array(rope.dims / 2);
  for (let i = 0; i < out.length; i++)
    out[i] = (rope.scale * Math.pow(rope.base, (-2 * i) / rope.dims)) / (factors ? factors[i] : 1);
  return out;
}

/** Rotates one head `[Hd]` in place by `position · inverseFrequencies[i]`; dims beyond 2 · inverseFrequencies.length stay. */
export function ropeInPlace(
  head: Float64Array,
  position: number,
  pairing: RopeNumbers['pairing'],
  inverseFrequencies: NumericArray,
): void {
  const nPairs = inverseFrequencies.length;
  for (let i = 0; i < nPairs; i++) {
    const first = pairing === 'interleaved' ? 2 * i : i;
    const second = pairing === 'interleaved' ? 2 * i + 1 : i + nPairs;
    const angle = position * inverseFrequencies[i];
    const [x, y] = [head[first], head[second]];
    head[first] = x * Math.cos(angle) - y * Math.sin(angle);
    head[second] = x * Math.sin(angle) + y * Math.cos(angle);
  }
}
