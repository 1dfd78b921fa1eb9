/** Rotary position embedding (Su et al. 2021), both pairings, per-pair frequency factors, linear position scale and YaRN. */
import type { YarnSpec } from '../../architectures/types.ts';
import type { NumericArray } from './types.ts';

export interface RopeNumbers {
  readonly pairing: 'interleaved' | 'halves';
  /** Even; leading dims of a head that rotate. */
  readonly dims: number;
  readonly base: number;
  readonly scale: number;
  /** Fast pairs are not scaled. */
  readonly yarn?: YarnSpec;
}

/**
 * Angle per position of each pair, `[dims/2]`: scale · base^(-2i/dims) / factors[i], the scale being each pair's own with YaRN. The GPU holds these rounded to f32; pass that
 * rounded array to the kernels' references when a test compares bits of the angle.
 */
export function ropeInverseFrequencies(rope: RopeNumbers, factors?: NumericArray): Float64Array {
  const out = new Float64Array(rope.dims / 2);
  const kept = rope.yarn ? keptShares(rope, rope.yarn) : undefined;
  for (let i = 0; i < out.length; i++) {
    const scale = kept ? rope.scale * (1 - kept[i]) + kept[i] : rope.scale;
    out[i] = (scale * Math.pow(rope.base, (-2 * i) / rope.dims)) / (factors ? factors[i] : 1);
  }
  return out;
}

/**
 * YaRN (arXiv 2309.00071, 3.2): how much of each pair's own angle stays, 1 for those that turn often in the original context, 0 for those that turn seldom, a ramp
 * over the pairs between. The ramp's ends are whole pairs, as in ggml (`ggml_rope_yarn_corr_dims`).
 */
function keptShares({ dims, base }: RopeNumbers, { originalContextTokens, fastTurns, slowTurns }: YarnSpec): Float64Array {
  const pairOfTurns = (turns: number) => (dims * Math.log(originalContextTokens / (turns * 2 * Math.PI))) / (2 * Math.log(base));
  const first = Math.max(0, Math.floor(pairOfTurns(fastTurns)));
  const last = Math.min(dims - 1, Math.ceil(pairOfTurns(slowTurns)));
  const width = Math.max(0.001, last - first);
  return Float64Array.from({ length: dims / 2 }, (_, pair) => 1 - Math.min(1, Math.max(0, (pair - first) / width)));
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
