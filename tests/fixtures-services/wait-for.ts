/** Waits for what comes about through the disk, the network and (where given) a manual clock, which is moved on meanwhile. */
import type { ManualClock } from './manual-clock.ts';

/** Only a test that fails waits this long. */
const LIMIT_MS = 20_000;

export async function waitFor(isDone: () => boolean, what: string | (() => string), clock?: ManualClock): Promise<void> {
  const endMs = performance.now() + LIMIT_MS;
  for (let turn = 0; !isDone(); turn++) {
    if (performance.now() > endMs) throw new Error(`${typeof what === 'string' ? what : what()} did not come about`);
    await clock?.advance(10);
    await new Promise((resolve) => (turn % 20 === 19 ? setTimeout(resolve, 1) : setImmediate(resolve)));
  }
}
