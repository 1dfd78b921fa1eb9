/** Which kernels made the keys and values of a sequence, position by position: prefill and decode may round differently. Pure. */
import { invariant } from '../invariant.ts';

export type MadeBy = 'prefill' | 'decode';

/** Positions `from` … `to` − 1. */
export interface CacheRun {
  readonly by: MadeBy;
  readonly from: number;
  readonly to: number;
}

export class CacheHistory {
  /** In order and without gaps, neighbours differ. */
  #runs: CacheRun[] = [];

  /** Positions that are there. */
  get tokens(): number {
    return this.#runs.at(-1)?.to ?? 0;
  }

  /** All positions up to `to` that are not there yet were made now. */
  add(by: MadeBy, to: number): void {
    const from = this.tokens;
    invariant(to >= from, `a cache of ${from} tokens is not made shorter by adding up to ${to}`);
    if (to === from) return;
    const last = this.#runs.at(-1);
    if (last?.by === by) this.#runs[this.#runs.length - 1] = { ...last, to };
    else this.#runs.push({ by, from, to });
  }

  truncate(tokens: number): void {
    this.#runs = this.#runs.flatMap((run) => (run.from < tokens ? [{ ...run, to: Math.min(run.to, tokens) }] : []));
  }

  /** From position `from` on. */
  runs(from: number): CacheRun[] {
    return this.#runs.flatMap((run) => (run.to > from ? [{ ...run, from: Math.max(run.from, from) }] : []));
  }
}
