/** Time as the controllers see it: injected, so that tests decide when it passes. */
export type Cancel = () => void;

export interface Clock {
  nowMs(): number;
  after(delayMs: number, run: () => void): Cancel;
  /** Before the next picture; soon in a hidden page, which draws none. */
  frame(run: () => void): Cancel;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  frame(run) {
    if (document.hidden) return systemClock.after(100, run);
    const handle = requestAnimationFrame(run);
    return () => cancelAnimationFrame(handle);
  },
};

/** For tests: nothing happens until `advance`. */
export class ManualClock implements Clock {
  #now: number;
  #next = 0;
  readonly #due = new Map<number, { atMs: number; run: () => void }>();

  constructor(nowMs = 0) {
    this.#now = nowMs;
  }

  nowMs(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): Cancel {
    const id = this.#next++;
    this.#due.set(id, { atMs: this.#now + delayMs, run });
    return () => this.#due.delete(id);
  }

  frame(run: () => void): Cancel {
    return this.after(16, run);
  }

  /** Runs what falls due within `elapsedMs`, in order, and lets promises settle between. */
  async advance(elapsedMs: number): Promise<void> {
    const endMs = this.#now + elapsedMs;
    for (;;) {
      await settle();
      const first = [...this.#due].filter(([, due]) => due.atMs <= endMs).sort((a, b) => a[1].atMs - b[1].atMs || a[0] - b[0])[0];
      if (!first) break;
      this.#due.delete(first[0]);
      this.#now = Math.max(this.#now, first[1].atMs);
      first[1].run();
    }
    this.#now = endMs;
  }
}

/** Lets every promise that is already resolved run its continuations. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
