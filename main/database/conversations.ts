/** Queries over conversations. Newest first means by `updated_at_ms`. */
import type { ConversationSummary } from '../contract/types.ts';
import type { ReadDb, WriteDb } from './handles.ts';

type SummaryRow = { id: string; title: string; created_at_ms: number; updated_at_ms: number };
export type ConversationRecord = ConversationSummary & { readonly leafId: string | null; readonly collectionId: string | null };

const SUMMARY = 'id, title, created_at_ms, updated_at_ms';

function toSummary(row: SummaryRow): ConversationSummary {
  return { id: row.id, title: row.title, createdAtMs: row.created_at_ms, updatedAtMs: row.updated_at_ms };
}

/** `beforeMs` continues a list: only those that changed earlier. */
export function listConversations(db: ReadDb, limit: number, beforeMs: number | null): ConversationSummary[] {
  return db
    .all<SummaryRow>(
      `SELECT ${SUMMARY} FROM conversations WHERE updated_at_ms < ? ORDER BY updated_at_ms DESC, seq DESC LIMIT ?`,
      beforeMs ?? Number.MAX_SAFE_INTEGER,
      limit,
    )
    .map(toSummary);
}

export function getConversation(db: ReadDb, id: string): ConversationRecord | null {
  const row = db.get<SummaryRow & { leaf_id: string | null; collection_id: string | null }>(
    `SELECT ${SUMMARY}, leaf_id, collection_id FROM conversations WHERE id = ?`,
    id,
  );
  return row ? { ...toSummary(row), leafId: row.leaf_id, collectionId: row.collection_id } : null;
}

export function insertConversation(
  db: WriteDb,
  conversation: ConversationSummary & { readonly collectionId?: string | null },
): void {
  db.run(
    `INSERT INTO conversations (id, title, leaf_id, created_at_ms, updated_at_ms, collection_id) VALUES (?, ?, NULL, ?, ?, ?)`,
    conversation.id,
    conversation.title,
    conversation.createdAtMs,
    conversation.updatedAtMs,
    conversation.collectionId ?? null,
  );
}

export function renameConversation(db: WriteDb, id: string, title: string): void {
  db.run(`UPDATE conversations SET title = ? WHERE id = ?`, title, id);
}

export function setLeaf(db: WriteDb, id: string, leafId: string | null): void {
  db.run(`UPDATE conversations SET leaf_id = ? WHERE id = ?`, leafId, id);
}

export function touchConversation(db: WriteDb, id: string, updatedAtMs: number): void {
  db.run(`UPDATE conversations SET updated_at_ms = max(updated_at_ms, ?) WHERE id = ?`, updatedAtMs, id);
}

/** Its messages go with it. */
export function deleteConversation(db: WriteDb, id: string): void {
  db.run(`DELETE FROM conversations WHERE id = ?`, id);
}
