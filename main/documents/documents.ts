/**
 * Documents of collections: taking files in, the list, their text, search. Reading itself is the indexer's; what is on disk is compared
 * with what was indexed at the start.
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { DocumentEntry, DocumentText, Passage } from '../contract/documents.ts';
import { serviceError, toWireError, type WireError } from '../contract/errors.ts';
import {
  clearQueue,
  deleteDocument,
  findDocument,
  getDocument,
  insertDocument,
  listAllDocuments,
  listDocuments,
  queueDocument,
  readDocumentText,
  setDocumentStatus,
  type DocumentRecord,
} from '../database/documents.ts';
import type { WriteDb } from '../database/handles.ts';
import type { Clock } from '../clock.ts';
import type { EventBus } from '../event-bus.ts';
import { requireCollection, type CollectionService } from './collections.ts';
import { asDocumentError, findFiles, type FoundFile } from './find-files.ts';
import type { Indexer } from './indexer.ts';
import type { Retriever } from './retriever.ts';

export interface DocumentDependencies {
  readonly db: WriteDb;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly collections: CollectionService;
  readonly indexer: Indexer;
  readonly retriever: Retriever;
}

export class DocumentService {
  readonly #deps: DocumentDependencies;

  constructor(deps: DocumentDependencies) {
    this.#deps = deps;
  }

  list(collectionId: string): readonly DocumentEntry[] {
    requireCollection(this.#deps.db, collectionId);
    return listDocuments(this.#deps.db, collectionId).map((document) => this.#entry(document));
  }

  /** A file that is there already and has changed is read again; an unchanged one is refused as a duplicate. */
  async add(
    collectionId: string,
    paths: readonly string[],
  ): Promise<{ added: readonly DocumentEntry[]; refused: readonly { path: string; error: WireError }[] }> {
    const { db, collections, indexer } = this.#deps;
    requireCollection(db, collectionId);
    const { files, refused } = await findFiles(paths);
    requireCollection(db, collectionId); // it may have been deleted while folders were walked
    const all = [...refused];
    const added: string[] = [];
    db.transaction(() => {
      for (const file of files) {
        const id = this.#take(collectionId, file);
        if (id !== null) added.push(id);
        else all.push({ path: file.path, error: toWireError(duplicate(file.path)) });
      }
    });
    collections.announce();
    indexer.pump();
    return { added: added.map((id) => this.#entry(this.require(id))), refused: all };
  }

  /** The file stays where it is. */
  remove(documentId: string): void {
    const { db, collections, indexer } = this.#deps;
    this.require(documentId);
    indexer.stop((current) => current.id === documentId);
    deleteDocument(db, documentId);
    collections.announce();
    indexer.pump();
  }

  async retry(documentId: string): Promise<DocumentEntry> {
    const { db, events, collections, indexer } = this.#deps;
    const { path: file } = this.require(documentId);
    try {
      const { size: sizeBytes, mtimeMs: modifiedAtMs } = await stat(file);
      this.require(documentId);
      queueDocument(db, documentId, { sizeBytes, modifiedAtMs });
    } catch (error) {
      throw asDocumentError(error, file);
    }
    const document = this.#entry(this.require(documentId));
    events.emit('documents.document', { document });
    collections.announce();
    indexer.pump();
    return document;
  }

  /** Rejects with `document.*` when nothing is there any more. */
  async fileOf(documentId: string): Promise<string> {
    const { path: file } = this.require(documentId);
    await stat(file).catch((error: unknown) => {
      throw asDocumentError(error, file);
    });
    return file;
  }

  cancel(collectionId: string): void {
    const { db, collections, indexer } = this.#deps;
    requireCollection(db, collectionId);
    indexer.stop((current) => current.collectionId === collectionId);
    clearQueue(db, collectionId);
    collections.announce();
    indexer.pump();
  }

  /** Before a collection is deleted. */
  stopAllOf(collectionId: string): void {
    this.#deps.indexer.stop((current) => current.collectionId === collectionId);
  }

  text(documentId: string): DocumentText {
    const document = this.require(documentId);
    const stored = readDocumentText(this.#deps.db, documentId);
    if (!stored) throw serviceError('document.missing', `${document.title} has not been read yet.`, { documentId });
    return { document: this.#entry(document), text: stored.text, pages: stored.pages };
  }

  search(collectionId: string, query: string, limit: number): readonly Passage[] {
    requireCollection(this.#deps.db, collectionId);
    return this.#deps.retriever.retrieve(collectionId, query, limit);
  }

  /** At the start: marks what is not on disk as it was indexed. */
  async checkFiles(): Promise<void> {
    const { db, collections, events } = this.#deps;
    let hasChanged = false;
    for (const document of listAllDocuments(db)) {
      if (document.status === 'queued' || document.status === 'failed') continue;
      const status = await statusOnDisk(document);
      if (status === document.status || getDocument(db, document.id)?.status !== document.status) continue;
      setDocumentStatus(db, document.id, status, null);
      events.emit('documents.document', { document: this.#entry(this.require(document.id)) });
      hasChanged = true;
    }
    if (hasChanged) collections.announce();
  }

  /** Throws `document.missing`. */
  require(documentId: string): DocumentRecord {
    const document = getDocument(this.#deps.db, documentId);
    if (document) return document;
    throw serviceError('document.missing', 'This document is not in a collection any more.', { documentId });
  }

  /** Returns the id of the queued document, or null where the same file was read already. */
  #take(collectionId: string, { path: file, kind, sizeBytes, modifiedAtMs }: FoundFile): string | null {
    const { db, clock, newId } = this.#deps;
    const known = findDocument(db, collectionId, file);
    if (known) {
      const isSame = known.sizeBytes === sizeBytes && known.modifiedAtMs === modifiedAtMs;
      if (known.status === 'queued' || (isSame && known.status === 'ready')) return null;
      queueDocument(db, known.id, { sizeBytes, modifiedAtMs });
      return known.id;
    }
    const id = newId();
    const nothingYet = { pages: null, chunks: 0, status: 'queued', error: null, addedAtMs: clock.nowMs() } as const;
    insertDocument(db, {
      ...nothingYet,
      id,
      collectionId,
      title: path.basename(file),
      path: file,
      kind,
      sizeBytes,
      modifiedAtMs,
    });
    return id;
  }

  #entry(document: DocumentRecord): DocumentEntry {
    return this.#deps.indexer.entryOf(document);
  }
}

async function statusOnDisk({ path: file, sizeBytes, modifiedAtMs }: DocumentRecord): Promise<'ready' | 'changed' | 'missing'> {
  try {
    const found = await stat(file);
    return found.size === sizeBytes && found.mtimeMs === modifiedAtMs ? 'ready' : 'changed';
  } catch {
    return 'missing';
  }
}

function duplicate(file: string) {
  return serviceError('document.duplicate', `${path.basename(file)} is in this collection already and has not changed.`, {
    path: file,
  });
}
