/** Seeded choices for the evaluation: the same seed and name give the same cases on every machine. */
import { invariant } from '../../gpu/invariant.ts';
import { SeededRandom } from '../../main/library/seeded-random.ts';

export class Chance {
  readonly #random: SeededRandom;

  constructor(seed: number, name: string) {
    this.#random = new SeededRandom(seed, name);
  }

  /** Whole, `least`…`most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.#random.uniform() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.#random.uniform() < probability;
  }

  pick<T>(items: readonly T[]): T {
    invariant(items.length > 0, 'there is something to pick from');
    return items[this.whole(0, items.length - 1)];
  }

  /** A new array in random order. */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.whole(0, i);
      [out[i], out[j]] = [out[j], out[i]];
    }
    return out;
  }

  /** `n` different items, or all of them. */
  sample<T>(items: readonly T[], n: number): T[] {
    return this.shuffle(items).slice(0, n);
  }
}
