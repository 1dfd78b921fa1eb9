/**
 * The hit rate of every number of slots at once, from what tokens use: with n slots a cache that keeps what was used last holds an expert if
 * fewer than n others of its layer were used since (stack distance: Mattson, Gecsei, Slutz, Traiger 1970). Pure bookkeeping.
 */
import { invariant } from '../../invariant.ts';

export class ReuseDepths {
  /** Last used first, one stack per MoE layer; what was not used yet stands below in the order of ids. */
  readonly #stacks: readonly number[][];

  constructor(nLayers: number, nExperts: number) {
    this.#stacks = Array.from({ length: nLayers }, () => Array.from({ length: nExperts }, (_, expert) => expert));
  }

  /** Adds to `uses[d]` the experts of `routing` (`[MoE layers, K]` of one token) that stood at depth d of their layer's stack. */
  add(routing: ArrayLike<number>, uses: { [depth: number]: number }): void {
    const nUsed = routing.length / this.#stacks.length;
    this.#stacks.forEach((stack, layer) => {
      const experts = Array.from({ length: nUsed }, (_, rank) => routing[layer * nUsed + rank]);
      for (const expert of experts) uses[stack.indexOf(expert)]++;
      const others = stack.filter((expert) => !experts.includes(expert));
      stack.splice(0, stack.length, ...experts, ...others);
    });
  }
}

/** Share of slots → share of uses that hit, ascending; `uses` by depth, `[E]`. */
export function hitCurveOf(uses: ArrayLike<number>): (readonly [share: number, hit: number])[] {
  const total = Array.from(uses).reduce((sum, count) => sum + count, 0);
  invariant(total > 0, 'a hit curve of no uses');
  let hits = 0;
  return Array.from(uses, (count, depth) => [(depth + 1) / uses.length, (hits += count) / total] as const);
}
