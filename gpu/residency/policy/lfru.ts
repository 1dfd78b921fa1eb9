/**
 * Decayed frequency plus recency. An expert's score is the sum of its past uses, each weighted by its age in two exponentials:
 * a slow one (frequency) and a fast one (recency), after the combined recency and frequency of LRFU (Lee et al., IEEE Trans. Computers 50(12),
 * 2001). Experts of the last tokens are protected as long as anything else may leave.
 */
import { invariant } from '../../invariant.ts';
import type { CacheLayer, CachePolicy, CachePolicyFactory } from '../types.ts';
import { leastScored } from './least-scored.ts';

export interface LfruSettings {
  /** Tokens after which a use counts half as frequency. */
  readonly frequencyHalfLifeTokens: number;
  /** Tokens after which the bonus of the last use halves. */
  readonly recencyHalfLifeTokens: number;
  /** The bonus of a use just made, in uses. */
  readonly recencyWeight: number;
  /** Experts of this many last tokens leave only when nothing else may. */
  readonly protectedTokens: number;
  /** The most that warm counts weigh, in tokens of this conversation. */
  readonly warmTokens: number;
}

/** The best guarded setting on answers that repeat themselves; the choice is flat (docs/offload-policy.md). */
export const LFRU_DEFAULTS: LfruSettings = {
  frequencyHalfLifeTokens: 64,
  recencyHalfLifeTokens: 8,
  recencyWeight: 4,
  protectedTokens: 2,
  warmTokens: 32,
};

export function lfruWith(settings: LfruSettings): CachePolicyFactory {
  return (layer) => new Lfru(layer, settings);
}

export const lfru: CachePolicyFactory = lfruWith(LFRU_DEFAULTS);

/** Above every score: a decayed frequency is below half-life / ln 2 plus the warm counts. */
const PROTECTED = 2 ** 40;

class Lfru implements CachePolicy {
  readonly #settings: LfruSettings;
  readonly #nUsed: number;
  /** Uses, decayed to the present token, [E]. */
  readonly #frequency: Float64Array;
  /** Token of the last use, [E]; -Infinity: never. */
  readonly #lastUse: Float64Array;
  /** By age in tokens, up to where it is worth nothing. */
  readonly #recencyBonus: Float64Array;
  #token = 0;

  constructor({ nExperts, nUsed }: CacheLayer, settings: LfruSettings) {
    this.#settings = settings;
    const { recencyHalfLifeTokens, recencyWeight, protectedTokens } = settings;
    this.#recencyBonus = Float64Array.from({ length: Math.ceil(24 * recencyHalfLifeTokens) }, (_, age) => {
      return recencyWeight * 2 ** (-age / recencyHalfLifeTokens) + (age < protectedTokens ? PROTECTED : 0);
    });
    this.#nUsed = nUsed;
    this.#frequency = new Float64Array(nExperts);
    this.#lastUse = new Float64Array(nExperts).fill(-Infinity);
  }

  used(experts: ArrayLike<number>): void {
    this.#token++;
    const decay = 2 ** (-1 / this.#settings.frequencyHalfLifeTokens);
    for (let expert = 0; expert < this.#frequency.length; expert++) this.#frequency[expert] *= decay;
    for (let rank = 0; rank < experts.length; rank++) {
      this.#frequency[experts[rank]]++;
      this.#lastUse[experts[rank]] = this.#token;
    }
  }

  victim(resident: Iterable<number>, keep: ReadonlySet<number>): number {
    return leastScored(resident, keep, (expert) => this.#score(expert));
  }

  warm(counts: ArrayLike<number>): void {
    invariant(counts.length === this.#frequency.length, 'warm counts are one per expert');
    let total = 0;
    for (let expert = 0; expert < counts.length; expert++) total += counts[expert];
    if (total === 0) return;
    const scale = Math.min(1, (this.#settings.warmTokens * this.#nUsed) / total);
    for (let expert = 0; expert < counts.length; expert++) this.#frequency[expert] += counts[expert] * scale;
  }

  #score(expert: number): number {
    const age = this.#token - this.#lastUse[expert];
    return this.#frequency[expert] + (age < this.#recencyBonus.length ? this.#recencyBonus[age] : 0);
  }
}
