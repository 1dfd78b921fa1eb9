/** Queries over documents: the list, the queue of those that wait to be read, and the text of the current version. */
import type { DocumentEntry, DocumentKind } from '../contract/documents.ts';
import type { WireError } from '../contract/errors.ts';
import type { ReadDb, WriteDb } from './handles.ts';

/** As it is stored: `reading` is known only while it happens, and a crash turns it into `queued` by itself. */
export type StoredStatus = Exclude<DocumentEntry['status'], 'reading'>;

export interface DocumentRecord extends DocumentEntry {
  readonly status: StoredStatus;
  /** Of the file that was indexed, or is to be. */
  readonly modifiedAtMs: number;
}

type DocumentRow = {
  id: string;
  collection_id: string;
  title: string;
  path: string;
  kind: string;
  size_bytes: number;
  modified_at_ms: number;
  status: string;
  error_json: string | null;
  added_at_ms: number;
  pages: number | null;
  chunks: number | null;
};

const DOCUMENTS = `SELECT documents.id, collection_id, title, path, kind, size_bytes, modified_at_ms, status, error_json, added_at_ms, pages, chunks
  FROM documents LEFT JOIN document_versions ON document_versions.document_id = documents.id AND is_current = 1`;

function toDocument(row: DocumentRow): DocumentRecord {
  return {
    id: row.id,
    collectionId: row.collection_id,
    title: row.title,
    path: row.path,
    kind: row.kind as DocumentKind,
    sizeBytes: row.size_bytes,
    pages: row.pages,
    chunks: row.chunks ?? 0,
    status: row.status as StoredStatus,
    error: row.error_json === null ? null : (JSON.parse(row.error_json) as WireError),
    addedAtMs: row.added_at_ms,
    modifiedAtMs: row.modified_at_ms,
  };
}

/** In the order in which they were added. */
export function listDocuments(db: ReadDb, collectionId: string): DocumentRecord[] {
  return db.all<DocumentRow>(`${DOCUMENTS} WHERE collection_id = ? ORDER BY documents.seq`, collectionId).map(toDocument);
}

export function listAllDocuments(db: ReadDb): DocumentRecord[] {
  return db.all<DocumentRow>(`${DOCUMENTS} ORDER BY documents.seq`).map(toDocument);
}

export function getDocument(db: ReadDb, id: string): DocumentRecord | null {
  const row = db.get<DocumentRow>(`${DOCUMENTS} WHERE documents.id = ?`, id);
  return row ? toDocument(row) : null;
}

export function findDocument(db: ReadDb, collectionId: string, path: string): DocumentRecord | null {
  const row = db.get<DocumentRow>(`${DOCUMENTS} WHERE collection_id = ? AND path = ?`, collectionId, path);
  return row ? toDocument(row) : null;
}

/** The one that waits longest. */
export function nextQueued(db: ReadDb): DocumentRecord | null {
  const row = db.get<DocumentRow>(`${DOCUMENTS} WHERE status = 'queued' ORDER BY documents.seq LIMIT 1`);
  return row ? toDocument(row) : null;
}

export function insertDocument(db: WriteDb, document: DocumentRecord): void {
  db.run(
    `INSERT INTO documents (id, collection_id, title, path, kind, size_bytes, modified_at_ms, status, error_json, added_at_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, ?)`,
    document.id,
    document.collectionId,
    document.title,
    document.path,
    document.kind,
    document.sizeBytes,
    document.modifiedAtMs,
    document.status,
    document.addedAtMs,
  );
}

export function setDocumentStatus(db: WriteDb, id: string, status: StoredStatus, error: WireError | null): void {
  db.run(`UPDATE documents SET status = ?, error_json = ? WHERE id = ?`, status, error && JSON.stringify(error), id);
}

/** Back into the queue, with the file as it is now. */
export function queueDocument(db: WriteDb, id: string, file: { sizeBytes: number; modifiedAtMs: number }): void {
  db.run(
    `UPDATE documents SET status = 'queued', error_json = NULL, size_bytes = ?, modified_at_ms = ? WHERE id = ?`,
    file.sizeBytes,
    file.modifiedAtMs,
    id,
  );
}

export function deleteDocument(db: WriteDb, id: string): void {
  db.run(`DELETE FROM documents WHERE id = ?`, id);
}

/**
 * Takes what waits in a collection out of the queue: what was never read goes, what has an older version is `changed` again (its time is
 * set to none, because the file that was indexed is not known any more).
 */
export function clearQueue(db: WriteDb, collectionId: string): void {
  const hasVersion = `EXISTS (SELECT 1 FROM document_versions WHERE document_id = documents.id AND is_current = 1)`;
  db.run(
    `UPDATE documents SET status = 'changed', modified_at_ms = 0 WHERE collection_id = ? AND status = 'queued' AND ${hasVersion}`,
    collectionId,
  );
  db.run(`DELETE FROM documents WHERE collection_id = ? AND status = 'queued'`, collectionId);
}

export interface StoredText {
  readonly text: string;
  readonly pages: readonly { readonly page: number | null; readonly start: number; readonly end: number }[];
}

/** Null before a document was read. */
export function readDocumentText(db: ReadDb, documentId: string): StoredText | null {
  const row = db.get<{ text: string; pages_json: string }>(
    `SELECT text, pages_json FROM document_versions WHERE document_id = ? AND is_current = 1`,
    documentId,
  );
  return row ? { text: row.text, pages: JSON.parse(row.pages_json) as StoredText['pages'] } : null;
}
