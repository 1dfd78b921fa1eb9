/**
 * Goes through the queue of documents, one at a time, with a worker thread that parses and writes. The queue is in the database: a crash
 * loses nothing. Stopping means ending the thread, so no parser can refuse; what it had written is not current and is dropped.
 */
import type { Worker } from 'node:worker_threads';
import type { DocumentEntry } from '../contract/documents.ts';
import { serviceError, toWireError, type WireError } from '../contract/errors.ts';
import { dropUnfinished } from '../database/document-versions.ts';
import { getDocument, nextQueued, setDocumentStatus, type DocumentRecord } from '../database/documents.ts';
import type { WriteDb } from '../database/handles.ts';
import type { Clock } from '../clock.ts';
import type { EventBus } from '../event-bus.ts';
import type { CollectionService } from './collections.ts';
import { endWorker } from './end-worker.ts';
import { LIMITS } from './limits.ts';
import type { ReadJob, StartDocumentWorker, WorkerReport } from './worker-protocol.ts';

/** Counts of collections are told at most so often while a queue is worked off. */
const ANNOUNCE_EVERY_MS = 250;

export interface IndexerDependencies {
  readonly db: WriteDb;
  readonly databasePath: string;
  readonly events: EventBus;
  /** Of the machine: the worker's time passes there. */
  readonly clock: Clock;
  readonly collections: CollectionService;
  readonly startWorker: StartDocumentWorker;
  /** For tests; LIMITS otherwise. */
  readonly limits?: { readonly stallMs: number; readonly readMs: number };
}

export class Indexer {
  readonly #deps: IndexerDependencies;
  #worker: Worker | null = null;
  #current: DocumentRecord | null = null;
  #cancelLimit: (() => void) | null = null;
  #startedMs = 0;
  #cancelAnnounce: (() => void) | null = null;
  /** Settles when a worker that is being ended has gone. */
  #ending: Promise<void> | null = null;
  #isStarted = false;
  #isClosed = false;

  constructor(deps: IndexerDependencies) {
    this.#deps = deps;
  }

  /** Drops what a crash left, then reads what waits. */
  start(): void {
    dropUnfinished(this.#deps.db);
    this.#isStarted = true;
    this.pump();
  }

  /** Begins with the next document when nothing is being read. */
  pump(): void {
    if (!this.#isStarted || this.#isClosed || this.#current || this.#ending) return;
    const next = nextQueued(this.#deps.db);
    if (!next) return;
    this.#current = next;
    this.#startedMs = this.#deps.clock.nowMs();
    this.#watch();
    this.#worker ??= this.#start();
    this.#worker.ref();
    const job: ReadJob = { id: next.id, path: next.path, kind: next.kind };
    this.#worker.postMessage(job);
    this.#tell(next.id);
  }

  /** Ends the reading of the current document where `matches` holds for it; it stays in the queue. */
  stop(matches: (document: DocumentRecord) => boolean): void {
    if (this.#current && matches(this.#current)) this.#end();
  }

  /** What pages are told of a document. */
  entryOf(document: DocumentRecord): DocumentEntry {
    const { modifiedAtMs, ...entry } = document;
    void modifiedAtMs;
    return this.#current?.id === entry.id && entry.status === 'queued' ? { ...entry, status: 'reading' } : entry;
  }

  /** What is being read stays in the queue for the next start. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelAnnounce?.();
    this.#end();
    await this.#ending;
  }

  #start(): Worker {
    const worker = this.#deps.startWorker({ databasePath: this.#deps.databasePath });
    worker.on('message', (report: WorkerReport) => {
      if (worker === this.#worker) this.#hear(report);
    });
    worker.on('error', (error) => {
      if (worker === this.#worker) this.#crashed(error);
    });
    worker.on('exit', () => {
      if (worker === this.#worker) this.#crashed(new Error('the worker ended'));
    });
    return worker;
  }

  #hear(report: WorkerReport): void {
    const document = this.#current;
    if (!document) return;
    if (report.type === 'progress') {
      this.#watch();
      const { done, total } = report;
      const { id: documentId, collectionId } = document;
      return this.#deps.events.emit('documents.progress', { documentId, collectionId, done, total });
    }
    this.#worker?.unref();
    this.#finish(document, report.type === 'failed' ? report.error : null);
  }

  #crashed(error: unknown): void {
    const document = this.#current;
    this.#end((worker) => worker.terminate());
    if (!document) return;
    const isMemory = (error as { code?: unknown }).code === 'ERR_WORKER_OUT_OF_MEMORY';
    const reason = isMemory ? `it needs more than ${LIMITS.workerHeapMb} MB of memory` : toWireError(error).message;
    const text = `${document.title} could not be read: ${reason}. The other documents are not concerned.`;
    this.#finish(document, toWireError(serviceError('document.crashed', text, { path: document.path })));
  }

  /** Counts the time without progress from now. */
  #watch(): void {
    const { clock, limits = LIMITS } = this.#deps;
    const leftMs = this.#startedMs + limits.readMs - clock.nowMs();
    this.#cancelLimit?.();
    this.#cancelLimit = clock.after(Math.max(0, Math.min(limits.stallMs, leftMs)), () => this.#timeOut());
  }

  #timeOut(): void {
    const document = this.#current;
    if (!document) return;
    this.#end();
    const seconds = Math.round((this.#deps.clock.nowMs() - this.#startedMs) / 1000);
    const text = `Reading ${document.title} got stuck or took too long and was ended after ${seconds} seconds. Split it, or leave it out.`;
    this.#finish(document, toWireError(serviceError('document.timeout', text, { path: document.path })));
  }

  /** A full disk or a locked database is no fault of the document: it stays in the queue, and the queue waits for the next `pump`. */
  #finish(document: DocumentRecord, error: WireError | null): void {
    this.#forget();
    const isOurs = error !== null && !error.code.startsWith('data.');
    if (isOurs && getDocument(this.#deps.db, document.id)) setDocumentStatus(this.#deps.db, document.id, 'failed', error);
    this.#tell(document.id);
    this.#cancelAnnounce ??= this.#deps.clock.after(ANNOUNCE_EVERY_MS, () => {
      this.#cancelAnnounce = null;
      this.#deps.collections.announce();
    });
    if (error === null || isOurs) this.pump();
    else console.error(error.message);
  }

  #end(how: (worker: Worker) => Promise<unknown> = (worker) => endWorker(worker, this.#deps.clock)): void {
    this.#forget();
    const worker = this.#worker;
    this.#worker = null;
    if (!worker) return;
    this.#ending = how(worker).then(() => {
      this.#ending = null;
      if (this.#isClosed) return;
      dropUnfinished(this.#deps.db);
      this.pump();
    });
  }

  #forget(): void {
    this.#current = null;
    this.#cancelLimit?.();
    this.#cancelLimit = null;
  }

  #tell(documentId: string): void {
    const document = getDocument(this.#deps.db, documentId);
    if (document) this.#deps.events.emit('documents.document', { document: this.entryOf(document) });
  }
}
