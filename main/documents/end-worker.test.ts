import { Worker } from 'node:worker_threads';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeDocument } from '../../tests/documents/support.ts';
import { temporaryFolder } from '../../tests/fixtures-services/temporary-folder.ts';
import { systemClock } from '../clock.ts';
import { insertCollection } from '../database/collections.ts';
import { insertDocument } from '../database/documents.ts';
import { openTestDatabase } from '../database/test-database.ts';
import { endWorker } from './end-worker.ts';
import { workerFrom } from './start-worker.ts';
import type { WorkerReport } from './worker-protocol.ts';

/** What the exit event tells of a thread that was torn down. */
const TERMINATED = 1;

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => void (folder = temporaryFolder()));
afterEach(() => folder.remove());

const exitCode = (worker: Worker) => new Promise<number>((resolve) => worker.once('exit', resolve));

test('in the middle of a long document the worker leaves by itself, soon, with a database that is whole', async () => {
  const { db, close } = openTestDatabase(folder.path);
  insertCollection(db, { id: 'c', name: 'C', createdAtMs: 0 });
  const file = writeDocument(folder.path, 'long.txt', 'Sentence by sentence it goes on. '.repeat(200_000));
  const entry = { pages: null, chunks: 0, status: 'queued', error: null, addedAtMs: 0, modifiedAtMs: 0, sizeBytes: 1 } as const;
  insertDocument(db, { ...entry, id: 'd', collectionId: 'c', title: 'D', path: file, kind: 'text' });
  const worker = workerFrom(new URL('worker.ts', import.meta.url))({ databasePath: path.join(folder.path, 'history.sqlite') });
  const reports: WorkerReport[] = [];
  const writing = new Promise<void>((resolve) =>
    worker.on('message', (report: WorkerReport) => {
      reports.push(report);
      resolve();
    }),
  );
  const code = exitCode(worker);
  worker.postMessage({ id: 'd', path: file, kind: 'text' });
  await writing;
  await endWorker(worker, systemClock);
  expect(await code).toBe(0);
  expect(new Set(reports.map(({ type }) => type))).toEqual(new Set(['progress']));
  expect(db.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  close();
});

test('a worker without work leaves at once', async () => {
  openTestDatabase(folder.path).close();
  const worker = workerFrom(new URL('worker.ts', import.meta.url))({ databasePath: path.join(folder.path, 'history.sqlite') });
  const code = exitCode(worker);
  await endWorker(worker, systemClock);
  expect(await code).toBe(0);
});

test('a worker that is stuck is torn down', async () => {
  const worker = new Worker(`require('node:worker_threads').parentPort.on('message', () => { for (;;); });`, { eval: true });
  const code = exitCode(worker);
  await endWorker(worker, systemClock);
  expect(await code).toBe(TERMINATED);
});
