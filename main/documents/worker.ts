/** The document worker: a thread with a database connection of its own that reads one document after another. */
import path from 'node:path';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { invariant } from '../../gpu/invariant.ts';
import { ConclaveError, toWireError } from '../contract/errors.ts';
import { openBetterSqlite3 } from '../database/better-sqlite3.ts';
import { openWorkerDatabase } from '../database/open.ts';
import { indexDocument } from './index-document.ts';
import { END, type ReadJob, type WorkerReport, type WorkerSettings } from './worker-protocol.ts';

const PROGRESS_EVERY_MS = 100;

invariant(parentPort, 'this file runs in a worker');
const port = parentPort;
const { databasePath } = workerData as WorkerSettings;
const { db, close } = openWorkerDatabase(databasePath, openBetterSqlite3);
const report = (message: WorkerReport) => port.postMessage(message);

port.on('message', (job: ReadJob | typeof END) => {
  if (job === END) return leave();
  let toldMs = 0;
  const onProgress = (done: number, total: number) => {
    if (receiveMessageOnPort(port)?.message === END) leave(); // no job comes before this one is done
    const nowMs = performance.now();
    if (nowMs - toldMs < PROGRESS_EVERY_MS) return;
    toldMs = nowMs;
    report({ type: 'progress', done, total });
  };
  indexDocument(db, job, onProgress).then(
    () => report({ type: 'done' }),
    (error: unknown) => report({ type: 'failed', error: named(error, path.basename(job.path)) }),
  );
});

/** No transaction is open where this is called. */
function leave(): never {
  close();
  process.exit();
}

/** Parsers say what is wrong, not with which file; anything but our own errors is a parser's surprise at a damaged file. */
function named(error: unknown, name: string) {
  const wire = toWireError(error);
  if (!(error instanceof ConclaveError))
    return { ...wire, code: 'document.damaged' as const, message: `${name} cannot be read (${wire.message}).` };
  return wire.code.startsWith('document.') && !wire.message.includes(name)
    ? { ...wire, message: `${name}: ${wire.message}` }
    : wire;
}
