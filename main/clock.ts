/** Time as the services see it: injected, so that tests decide when it passes. */
export interface Clock {
  /** Unix milliseconds. */
  nowMs(): number;
  /** Runs `run` once, later. Returns a function that cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
