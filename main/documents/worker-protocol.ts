/** What crosses between the indexer and its worker. One document at a time. */
import type { Worker } from 'node:worker_threads';
import type { DocumentKind } from '../contract/documents.ts';
import type { WireError } from '../contract/errors.ts';

export interface WorkerSettings {
  readonly databasePath: string;
}

/** Hosts differ in where the worker's program lies: TypeScript beside its sources, or a file of the build. */
export type StartDocumentWorker = (settings: WorkerSettings) => Worker;

export interface ReadJob {
  readonly id: string;
  readonly path: string;
  readonly kind: DocumentKind;
}

/** Sent instead of a job, at any time: the worker closes its database and exits. */
export const END = 'end';

export type WorkerReport =
  | { readonly type: 'progress'; readonly done: number; readonly total: number }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly error: WireError };
