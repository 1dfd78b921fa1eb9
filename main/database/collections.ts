/** Queries over collections of documents, and which collection a conversation looks into. */
import type { Collection } from '../contract/documents.ts';
import type { ReadDb, WriteDb } from './handles.ts';

type CollectionRow = {
  id: string;
  name: string;
  created_at_ms: number;
  documents: number;
  pending: number;
  failed: number;
  chunks: number;
};

const COUNTED = `SELECT collections.id, name, created_at_ms,
    count(documents.id) AS documents,
    coalesce(sum(status = 'queued'), 0) AS pending,
    coalesce(sum(status = 'failed'), 0) AS failed,
    coalesce(sum(chunks), 0) AS chunks
  FROM collections
  LEFT JOIN documents ON documents.collection_id = collections.id
  LEFT JOIN document_versions ON document_versions.document_id = documents.id AND is_current = 1`;

function toCollection(row: CollectionRow): Collection {
  const { id, name, created_at_ms: createdAtMs, documents, pending, failed, chunks } = row;
  return { id, name, createdAtMs, documents, pending, failed, chunks };
}

/** Oldest first. */
export function listCollections(db: ReadDb): Collection[] {
  return db.all<CollectionRow>(`${COUNTED} GROUP BY collections.id ORDER BY created_at_ms, name`).map(toCollection);
}

export function getCollection(db: ReadDb, id: string): Collection | null {
  const row = db.get<CollectionRow>(`${COUNTED} WHERE collections.id = ? GROUP BY collections.id`, id);
  return row ? toCollection(row) : null;
}

export function insertCollection(db: WriteDb, { id, name, createdAtMs }: Pick<Collection, 'id' | 'name' | 'createdAtMs'>): void {
  db.run(`INSERT INTO collections (id, name, created_at_ms) VALUES (?, ?, ?)`, id, name, createdAtMs);
}

export function renameCollection(db: WriteDb, id: string, name: string): void {
  db.run(`UPDATE collections SET name = ? WHERE id = ?`, name, id);
}

/** Its documents go with it; conversations that used it use none. */
export function deleteCollection(db: WriteDb, id: string): void {
  db.run(`DELETE FROM collections WHERE id = ?`, id);
}

export function setConversationCollection(db: WriteDb, conversationId: string, collectionId: string | null): void {
  db.run(`UPDATE conversations SET collection_id = ? WHERE id = ?`, collectionId, conversationId);
}
