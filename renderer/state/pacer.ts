/**
 * How often a growing text is drawn: every frame while that is cheap, and seldom enough to leave the page free where one drawing
 * takes long (a single list or paragraph of thousands of lines).
 */
import type { Clock } from './clock.ts';

/** What a drawing may take without any rest: one frame and the wait for the next. */
const FREE_MS = 24;
/** Rest per millisecond of drawing beyond that: the page is then busy for at most a quarter of the time. */
const REST = 3;

export class Pacer {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #freeAtMs = 0;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** How long the next drawing should wait; 0: not at all. */
  waitMs(): number {
    return Math.max(0, this.#freeAtMs - this.#clock.nowMs());
  }

  /** After a drawing that began at `startedMs` is on the screen. */
  drew(startedMs: number): void {
    const nowMs = this.#clock.nowMs();
    this.#freeAtMs = nowMs + REST * Math.max(0, nowMs - startedMs - FREE_MS);
  }
}
