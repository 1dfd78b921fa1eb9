/**
 * Writing what was read of a document: a version is begun, filled with chunks in small transactions (so that nobody waits long for the
 * database), and made current in one. Until then no query sees it; what a crash leaves is dropped by `dropUnfinished`.
 */
import { invariant } from '../../gpu/invariant.ts';
import type { StoredText } from './documents.ts';
import type { WriteDb } from './handles.ts';

export interface ChunkRecord {
  readonly page: number | null;
  readonly heading: string | null;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** What the index gets of title, heading and text: words, with what the tokenizer cannot split split already. */
  readonly terms: { readonly title: string; readonly heading: string; readonly body: string };
}

/** Returns the version's key. */
export function beginVersion(db: WriteDb, documentId: string, { text, pages }: StoredText): number {
  return db.transaction(() => {
    const nPages = pages.filter(({ page }) => page !== null).length;
    db.run(
      `INSERT INTO document_versions (document_id, is_current, chunks, pages, pages_json, text) VALUES (?, 0, 0, ?, ?, ?)`,
      documentId,
      nPages === 0 ? null : nPages,
      JSON.stringify(pages),
      text,
    );
    return db.get<{ seq: number }>(`SELECT last_insert_rowid() AS seq`)!.seq;
  });
}

/** `firstNumber` continues the count of the chunks before. */
export function insertChunks(db: WriteDb, versionSeq: number, firstNumber: number, chunks: readonly ChunkRecord[]): void {
  db.transaction(() => {
    for (const [i, { page, heading, start, end, text, terms }] of chunks.entries()) {
      db.run(
        `INSERT INTO chunks (version_seq, number, page, heading, start, "end", text) VALUES (?, ?, ?, ?, ?, ?, ?)`,
        ...[versionSeq, firstNumber + i, page, heading, start, end, text],
      );
      db.run(
        `INSERT INTO chunks_search (rowid, title, heading, body) VALUES (last_insert_rowid(), ?, ?, ?)`,
        ...[terms.title, terms.heading, terms.body],
      );
    }
  });
}

/**
 * The version becomes the document's only one, and the document ready under `title`. False when the document was removed in the
 * meantime: then nothing is left of the version either.
 */
export function publishVersion(db: WriteDb, documentId: string, versionSeq: number, title: string): boolean {
  return db.transaction(() => {
    const isThere = db.run(`UPDATE documents SET status = 'ready', error_json = NULL, title = ? WHERE id = ?`, title, documentId);
    if (isThere === 0) return false;
    db.run(`DELETE FROM document_versions WHERE document_id = ? AND seq <> ?`, documentId, versionSeq);
    const isPublished = db.run(
      `UPDATE document_versions SET is_current = 1, chunks = (SELECT count(*) FROM chunks WHERE version_seq = ?) WHERE seq = ?`,
      versionSeq,
      versionSeq,
    );
    invariant(isPublished === 1, 'a version is there while its document is');
    return true;
  });
}

/** What a crash or a stopped worker left. Only while no worker writes. */
export function dropUnfinished(db: WriteDb): number {
  return db.run(`DELETE FROM document_versions WHERE is_current = 0`);
}
