/**
 * Ends the document worker where it says itself that it can be ended: between two transactions, with its database closed. A thread that is
 * torn down within a statement of SQLite can take the whole process along.
 */
import type { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import { END } from './worker-protocol.ts';

/** A page or a transaction takes milliseconds; who needs longer is stuck in a parser, where nothing is open. */
const GRACE_MS = 1_000;

/** Settles when the worker has gone. It must not have gone before. */
export async function endWorker(worker: Worker, clock: Clock): Promise<void> {
  const gone = new Promise((resolve) => worker.once('exit', resolve));
  worker.ref();
  worker.postMessage(END);
  const cancelForce = clock.after(GRACE_MS, () => void worker.terminate());
  await gone;
  cancelForce();
}
