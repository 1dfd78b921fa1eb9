import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../tests/fixtures-services/temporary-folder.ts';
import { systemClock } from '../clock.ts';
import type { DocumentEntry } from '../contract/documents.ts';
import { insertCollection } from '../database/collections.ts';
import { beginVersion } from '../database/document-versions.ts';
import { getDocument, insertDocument } from '../database/documents.ts';
import { openTestDatabase } from '../database/test-database.ts';
import type { OpenDatabase } from '../database/open.ts';
import { EventBus } from '../event-bus.ts';
import { CollectionService } from './collections.ts';
import { Indexer } from './indexer.ts';
import { END } from './worker-protocol.ts';

/** A worker that does as the document's path says. */
const WORKER = `const { parentPort } = require('node:worker_threads');
parentPort.on('message', (job) => {
  if (job === '${END}') process.exit();
  const { path } = job;
  if (path === 'hangs') for (;;);
  if (path === 'lingers') setInterval(() => parentPort.postMessage({ type: 'progress', done: 1, total: 2 }), 500);
  if (path === 'throws') setTimeout(() => { throw new Error('a bug of a parser'); });
  if (path === 'exits') process.exit(0);
  if (path === 'eats') for (const eaten = []; ;) eaten.push(new Array(1e6).fill(eaten.length));
  if (path === 'full') parentPort.postMessage({ type: 'failed', error: { code: 'data.disk-full', message: 'The disk is full.', details: {} } });
  if (path === 'good') parentPort.postMessage({ type: 'done' });
});`;

let folder: ReturnType<typeof temporaryFolder>;
let database: OpenDatabase;
let indexer: Indexer;
let started = 0;
const told: DocumentEntry[] = [];
beforeEach(() => {
  folder = temporaryFolder();
  database = openTestDatabase(folder.path);
  const { db } = database;
  const events = new EventBus();
  events.on((event) => void (event.name === 'documents.document' && told.push(event.payload.document)));
  insertCollection(db, { id: 'c', name: 'C', createdAtMs: 0 });
  started = 0;
  told.length = 0;
  indexer = new Indexer({
    db,
    databasePath: path.join(folder.path, 'history.sqlite'),
    events,
    clock: systemClock,
    collections: new CollectionService({ db, events, clock: systemClock, newId: () => 'unused' }),
    startWorker: () => {
      started++;
      return new Worker(WORKER, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 32 }, stderr: true });
    },
    limits: { stallMs: 2_000, readMs: 4_000 },
  });
});
afterEach(async () => {
  await indexer.close();
  database.close();
  folder.remove();
});

function queue(...paths: string[]): void {
  const nothingYet = {
    pages: null,
    chunks: 0,
    status: 'queued',
    error: null,
    addedAtMs: 0,
    modifiedAtMs: 0,
    sizeBytes: 1,
  } as const;
  for (const file of paths)
    insertDocument(database.db, { ...nothingYet, id: file, collectionId: 'c', title: file, path: file, kind: 'text' });
}

async function until(isDone: () => boolean): Promise<void> {
  for (const deadlineMs = Date.now() + 20_000; !isDone(); await new Promise((resolve) => setTimeout(resolve, 10)))
    if (Date.now() > deadlineMs) throw new Error(`not yet: ${JSON.stringify(told)}`);
}

const isTold = (id: string) => told.some((document) => document.id === id && document.status !== 'reading');

test(
  'a document that hangs, breaks or fills the worker fails by itself; the others are read by a new one',
  { timeout: 60_000 },
  async () => {
    queue('hangs', 'throws', 'exits', 'eats', 'good');
    indexer.start();
    await until(() => isTold('good'));
    const codes = ['hangs', 'throws', 'exits', 'eats'].map((id) => getDocument(database.db, id)?.error?.code);
    expect(codes).toEqual(['document.timeout', 'document.crashed', 'document.crashed', 'document.crashed']);
    expect(getDocument(database.db, 'hangs')?.error?.message).toMatch(/after \d+ seconds/);
    expect(getDocument(database.db, 'eats')?.error?.message).toContain('memory');
    expect(started).toBe(5);
  },
);

test('what a crash left of a version is dropped at the start', () => {
  queue('good');
  beginVersion(database.db, 'good', { text: 'half', pages: [] });
  indexer.start();
  expect(database.db.all('SELECT seq FROM document_versions')).toEqual([]);
});

test('a document that makes progress has longer, but not for ever', { timeout: 60_000 }, async () => {
  queue('lingers');
  indexer.start();
  const startMs = performance.now();
  await until(() => isTold('lingers'));
  expect(performance.now() - startMs).toBeGreaterThan(3_500);
  expect(getDocument(database.db, 'lingers')?.error?.code).toBe('document.timeout');
});

test('a full disk is no fault of the document: it waits, and is read when there is reason to try again', async () => {
  queue('full');
  indexer.start();
  await until(() => isTold('full'));
  expect(getDocument(database.db, 'full')).toMatchObject({ status: 'queued', error: null });
  told.length = 0;
  indexer.pump();
  await until(() => isTold('full'));
});

test('what is being read is told as reading, and can be stopped at once', async () => {
  queue('hangs');
  indexer.start();
  expect(indexer.entryOf(getDocument(database.db, 'hangs')!).status).toBe('reading');
  indexer.stop(({ id }) => id === 'something else');
  expect(indexer.entryOf(getDocument(database.db, 'hangs')!).status).toBe('reading');
  const startMs = performance.now();
  await indexer.close();
  expect(performance.now() - startMs).toBeLessThan(1_900);
  expect(getDocument(database.db, 'hangs')).toMatchObject({ status: 'queued', error: null });
});
