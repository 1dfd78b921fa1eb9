/**
 * Work on the device, or the loss of the device, whichever comes first. The loss may never come, and a promise that stays pending holds every
 * reaction to it; so whoever waits is forgotten when its work has ended.
 */
import type { ConclaveError } from '../errors.ts';

/** Work may fail a moment before the loss that made it fail is told. */
const GRACE_MS = 50;

export class LossWatch {
  readonly #waiting = new Set<(error: ConclaveError) => void>();
  #error: ConclaveError | null = null;

  constructor(lost: Promise<ConclaveError>) {
    void lost.then((error) => {
      this.#error = error;
      for (const tell of this.#waiting) tell(error);
    });
  }

  get nWaiting(): number {
    return this.#waiting.size;
  }

  /** Settles as `work` does; rejects with the loss where that comes first, or close behind a failure. */
  async orLost<T>(work: Promise<T>): Promise<T> {
    let tell!: (error: ConclaveError) => void;
    const lost = new Promise<never>((_, reject) => (tell = reject));
    this.#waiting.add(tell);
    if (this.#error) tell(this.#error);
    try {
      return await Promise.race([work, lost]);
    } catch (error) {
      await Promise.race([lost, new Promise<void>((resolve) => setTimeout(resolve, GRACE_MS))]);
      throw error;
    } finally {
      this.#waiting.delete(tell);
    }
  }
}
