/** How fast a download goes: bytes over the last seconds, so that a burst or a pause does not throw the estimate about. */
const WINDOW_MS = 8_000;
/** Before that an estimate would be a guess. */
const LEAST_MS = 1_000;
const SAMPLE_EVERY_MS = 200;

export class Speed {
  #samples: { atMs: number; bytes: number }[] = [];

  /** `bytes` received in all, now. */
  add(nowMs: number, bytes: number): void {
    const last = this.#samples.at(-1);
    if (last && (nowMs - last.atMs < SAMPLE_EVERY_MS || bytes < last.bytes)) return;
    this.#samples.push({ atMs: nowMs, bytes });
    this.#samples = this.#samples.filter(({ atMs }) => nowMs - atMs <= WINDOW_MS);
  }

  /** After a pause or a restart what came before says nothing. */
  reset(): void {
    this.#samples = [];
  }

  bytesPerSecond(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.atMs - first.atMs < LEAST_MS) return null;
    return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
  }
}
