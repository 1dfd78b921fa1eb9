/** The document worker: a thread with a database connection of its own that reads one document after another. */
import { parentPort } from 'node:worker_threads';
import { invariant } from '../../gpu/invariant.ts';
import { serviceError, toWireError } from '../contract/errors.ts';
import type { ReadJob, WorkerReport } from './worker-protocol.ts';

invariant(parentPort, 'this file runs in a worker');
const port = parentPort;
port.on('message', ({ kind }: ReadJob) => {
  const report: WorkerReport = {
    type: 'failed',
    error: toWireError(serviceError('document.kind', `${kind} cannot be read yet.`)),
  };
  port.postMessage(report);
});
