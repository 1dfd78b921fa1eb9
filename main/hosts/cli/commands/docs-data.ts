/** The documents of a data folder for the command line: the same tables and worker as the app's, under the same lock. */
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../../clock.ts';
import type { Collection } from '../../../contract/documents.ts';
import { openBetterSqlite3 } from '../../../database/better-sqlite3.ts';
import { openDataFolder } from '../../../database/open-folder.ts';
import { CollectionService } from '../../../documents/collections.ts';
import { DocumentService } from '../../../documents/documents.ts';
import { Indexer } from '../../../documents/indexer.ts';
import { Bm25Retriever, type Retriever } from '../../../documents/retriever.ts';
import { EventBus } from '../../../event-bus.ts';
import { chooseDataFolder } from '../../launcher/data-folder.mjs';
import { startDocumentWorker } from '../../node/document-worker.ts';
import { UsageError } from '../command.ts';

export interface DocumentData {
  readonly collections: CollectionService;
  readonly documents: DocumentService;
  readonly indexer: Indexer;
  readonly retriever: Retriever;
  readonly events: EventBus;
  close(): Promise<void>;
}

/** Throws `data.*`, among them `data.locked` while the app runs with this folder. */
export function openDocumentData(dataFolder: string | undefined): DocumentData {
  const holder = { pid: process.pid, startedAtMs: Date.now(), program: 'command line' };
  const { db, databasePath, close } = openDataFolder(chooseDataFolder(dataFolder), holder, openBetterSqlite3);
  const events = new EventBus();
  const common = { db, events, clock: systemClock, newId: randomUUID };
  const collections = new CollectionService(common);
  const retriever = new Bm25Retriever(db);
  const indexer = new Indexer({ ...common, databasePath, collections, startWorker: startDocumentWorker });
  return {
    collections,
    documents: new DocumentService({ ...common, collections, indexer, retriever }),
    indexer,
    retriever,
    events,
    async close() {
      await indexer.close();
      close();
    },
  };
}

/** By name; without one the only collection there is. Throws UsageError with the names. */
export function findCollection(collections: CollectionService, name: string | undefined): Collection {
  const all = collections.list();
  const found = name === undefined ? (all.length === 1 ? all[0] : undefined) : all.find((collection) => collection.name === name);
  if (found) return found;
  const names = all.map((collection) => `"${collection.name}"`).join(', ') || 'none; make one with docs index';
  throw new UsageError(
    name === undefined
      ? `Say which collection with --collection (there is ${names}).`
      : `There is no collection "${name}" (there is ${names}).`,
  );
}
