/** A clock for tests: nothing happens until `advance`. */
import type { Clock } from '../../main/clock.ts';

export class ManualClock implements Clock {
  #nowMs: number;
  #nextId = 0;
  readonly #due = new Map<number, { atMs: number; run: () => void }>();

  constructor(nowMs = 1_000_000) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const id = this.#nextId++;
    this.#due.set(id, { atMs: this.#nowMs + delayMs, run });
    return () => this.#due.delete(id);
  }

  /** Runs what falls due, in order, and lets promises settle before, between and after. */
  async advance(elapsedMs: number): Promise<void> {
    const endMs = this.#nowMs + elapsedMs;
    for (;;) {
      await settle();
      const next = [...this.#due].filter(([, due]) => due.atMs <= endMs).sort((a, b) => a[1].atMs - b[1].atMs || a[0] - b[0])[0];
      if (!next) break;
      this.#due.delete(next[0]);
      this.#nowMs = next[1].atMs;
      next[1].run();
    }
    this.#nowMs = endMs;
    await settle();
  }
}

/** Lets every promise that can go on go on; real timers and the disk are not waited for. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
