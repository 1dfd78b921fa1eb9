/** Ends a request after a long silence, or with the signal of whoever asked for it. (AbortSignal.any is too new for some of our hosts.) */
import type { Clock } from '../../clock.ts';

/** Silence after which a connection counts as dead. */
const STALL_MS = 60_000;

export class StallWatch {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #outer: AbortSignal;
  readonly #abort = () => this.#controller.abort(this.#outer.reason);
  #heardAtMs: number;
  #cancel: () => void = () => {};

  constructor(clock: Clock, outer: AbortSignal) {
    this.#clock = clock;
    this.#outer = outer;
    this.#heardAtMs = clock.nowMs();
    outer.addEventListener('abort', this.#abort, { once: true });
    if (outer.aborted) this.#abort();
    this.#look(STALL_MS);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something came. */
  heard(): void {
    this.#heardAtMs = this.#clock.nowMs();
  }

  /** What is left of an answer is not read. */
  end(): void {
    this.#cancel();
    this.#outer.removeEventListener('abort', this.#abort);
    this.#controller.abort();
  }

  #look(afterMs: number): void {
    this.#cancel = this.#clock.after(afterMs, () => {
      const silentMs = this.#clock.nowMs() - this.#heardAtMs;
      if (silentMs >= STALL_MS) this.#controller.abort(new Error(`nothing came for ${STALL_MS / 1000} seconds`));
      else this.#look(STALL_MS - silentMs);
    });
  }
}
