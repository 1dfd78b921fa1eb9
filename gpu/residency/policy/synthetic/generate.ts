/**
 * Synthetic routing: a seeded LRU stack model (Coffman and Denning, Operating Systems Theory, 1973). Each choice takes the expert at a random
 * depth of the layer's recency stack; the depths' distribution is laid through cited hit rates of recency caches, so that such a cache of n
 * experts hits as often as was reported. Within a stretch between two cited points popular experts are likelier, which gives the skew. Layers are
 * independent. It shows what a model like that would do, never which policy is best: it forgets everything but recency and popularity.
 */
import { invariant } from '../../../invariant.ts';
import { drawU32 } from '../../../reference/ops/random.ts';
import type { RoutingTrace } from '../trace.ts';

export interface SyntheticRouting {
  readonly nExperts: number;
  readonly nUsed: number;
  /** Hit rate of a recency cache of so many experts a layer, both rising; (0, 0) and (E, 1) are implied. */
  readonly hits: readonly (readonly [nSlots: number, hit: number])[];
  /** Exponent of the experts' popularity by rank (Zipf); 0: all alike. */
  readonly skew: number;
}

export interface SyntheticSize {
  readonly model: string;
  readonly nLayers: number;
  readonly nTokens: number;
  readonly seed: number;
}

export function syntheticTrace(routing: SyntheticRouting, { model, nLayers, nTokens, seed }: SyntheticSize): RoutingTrace {
  const { nExperts, nUsed } = routing;
  const experts = new Uint16Array(nTokens * nLayers * nUsed);
  for (let layer = 0; layer < nLayers; layer++) {
    const source = new StackLayer(routing, seed + layer * 0x10001);
    for (let token = 0; token < nTokens; token++) experts.set(source.token(), (token * nLayers + layer) * nUsed);
  }
  return {
    model,
    layers: Array.from({ length: nLayers }, (_, layer) => layer),
    nExperts,
    nUsed,
    nTokens,
    experts,
    isPrompt: new Uint8Array(nTokens),
    positions: Uint32Array.from({ length: nTokens }, (_, token) => token),
  };
}

interface Stretch {
  /** Depths `from` (inclusive) to `to` (exclusive), chosen with probability up to `upTo` (cumulative). */
  readonly from: number;
  readonly to: number;
  readonly upTo: number;
}

class StackLayer {
  readonly #nUsed: number;
  readonly #stretches: readonly Stretch[];
  readonly #popularity: Float64Array;
  /** Most recent first, [E]. */
  #stack: number[];
  readonly #seed: number;
  #draws = 0;

  constructor({ nExperts, nUsed, hits, skew }: SyntheticRouting, seed: number) {
    this.#nUsed = nUsed;
    this.#seed = seed;
    this.#stretches = stretchesOf(hits, nExperts);
    this.#stack = Array.from({ length: nExperts }, (_, expert) => expert);
    for (let i = nExperts - 1; i > 0; i--) {
      const j = Math.floor(this.#unit() * (i + 1));
      [this.#stack[i], this.#stack[j]] = [this.#stack[j], this.#stack[i]];
    }
    this.#popularity = new Float64Array(nExperts);
    this.#stack.forEach((expert, rank) => (this.#popularity[expert] = (rank + 1) ** -skew));
  }

  /** K different experts; they are the top of the stack afterwards. */
  token(): number[] {
    const chosen: number[] = [];
    while (chosen.length < this.#nUsed) chosen.push(this.#choose(chosen));
    this.#stack = [...chosen, ...this.#stack.filter((expert) => !chosen.includes(expert))];
    return chosen;
  }

  #choose(chosen: readonly number[]): number {
    for (;;) {
      const draw = this.#unit();
      const stretch = this.#stretches.find(({ upTo }) => draw < upTo) ?? this.#stretches[this.#stretches.length - 1];
      const open = this.#stack.slice(stretch.from, stretch.to).filter((expert) => !chosen.includes(expert));
      if (open.length > 0) return this.#byPopularity(open);
    }
  }

  #byPopularity(experts: readonly number[]): number {
    const total = experts.reduce((sum, expert) => sum + this.#popularity[expert], 0);
    let left = this.#unit() * total;
    for (const expert of experts) if ((left -= this.#popularity[expert]) < 0) return expert;
    return experts[experts.length - 1];
  }

  /** [0, 1) */
  #unit(): number {
    return drawU32(this.#seed, this.#draws++) / 2 ** 32;
  }
}

function stretchesOf(hits: SyntheticRouting['hits'], nExperts: number): Stretch[] {
  let [from, upTo] = [0, 0];
  return [...hits, [nExperts, 1] as const].map(([to, hit]) => {
    invariant(to > from && to <= nExperts && hit >= upTo && hit <= 1, 'hit rates must rise with the slots');
    const stretch = { from, to, upTo: hit };
    [from, upTo] = [to, hit];
    return stretch;
  });
}
