/**
 * Chooses between policies by what each would have missed: every candidate keeps a shadow cache of ids (no weights), and the one with the
 * fewest misses of late picks the victims. Set dueling with full shadow tags, after Qureshi et al., ISCA 2007. Pure bookkeeping, no clock.
 */
import { invariant } from '../../invariant.ts';
import type { CacheLayer, CachePolicy, CachePolicyFactory } from '../types.ts';
import { fetchMissing } from './fetch-missing.ts';

/** Tokens after which a shadow's miss counts half. */
const MISS_HALF_LIFE_TOKENS = 64;
/** A challenger must miss this much less than the leader, so that equals do not take turns. */
const LEAD = 0.97;

export function adaptive(candidates: readonly CachePolicyFactory[]): CachePolicyFactory {
  invariant(candidates.length > 0, 'nothing to choose between');
  return (layer) => new Adaptive(layer, candidates);
}

interface Shadow {
  readonly policy: CachePolicy;
  readonly resident: Set<number>;
  misses: number;
}

class Adaptive implements CachePolicy {
  readonly #nSlots: number;
  readonly #shadows: readonly Shadow[];
  #leader: Shadow;

  constructor(layer: CacheLayer, candidates: readonly CachePolicyFactory[]) {
    this.#nSlots = layer.nSlots;
    this.#shadows = candidates.map((candidate) => ({ policy: candidate(layer), resident: new Set(), misses: 0 }));
    [this.#leader] = this.#shadows;
  }

  used(experts: ArrayLike<number>): void {
    const decay = 2 ** (-1 / MISS_HALF_LIFE_TOKENS);
    for (const shadow of this.#shadows) {
      shadow.misses = shadow.misses * decay + fetchMissing(shadow.policy, shadow.resident, experts, this.#nSlots);
      shadow.policy.used(experts);
    }
    for (const shadow of this.#shadows) if (shadow.misses < LEAD * this.#leader.misses) this.#leader = shadow;
  }

  victim(resident: Iterable<number>, keep: ReadonlySet<number>): number {
    return this.#leader.policy.victim(resident, keep);
  }

  warm(counts: ArrayLike<number>): void {
    for (const { policy } of this.#shadows) policy.warm(counts);
  }
}
