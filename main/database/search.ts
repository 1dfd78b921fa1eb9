/**
 * Search over titles and message text: a conversation is found when all words of the query occur in its title, or all in one of its
 * messages, anywhere inside words. The trigram index needs three characters; shorter words are looked for without it.
 */
import type { ConversationSummary } from '../contract/types.ts';
import type { ReadDb } from './handles.ts';
import type { SqlValue } from './driver.ts';

type SummaryRow = { id: string; title: string; created_at_ms: number; updated_at_ms: number };

/** More words than this add nothing but work. */
const MOST_WORDS = 16;

/** Newest first. A query without any word finds nothing. */
export function searchConversations(db: ReadDb, query: string, limit: number, beforeMs: number | null): ConversationSummary[] {
  const words = query
    .split(/\s+/)
    .filter((word) => word !== '')
    .slice(0, MOST_WORDS);
  if (words.length === 0) return [];
  const titles = matching('titles_search', 'title', words);
  const texts = matching('messages_search', 'content', words);
  const rows = db.all<SummaryRow>(
    `SELECT id, title, created_at_ms, updated_at_ms FROM conversations
     WHERE updated_at_ms < ? AND (
       seq IN (SELECT rowid FROM titles_search WHERE ${titles.where})
       OR id IN (SELECT conversation_id FROM messages WHERE seq IN (SELECT rowid FROM messages_search WHERE ${texts.where}))
     )
     ORDER BY updated_at_ms DESC, seq DESC LIMIT ?`,
    beforeMs ?? Number.MAX_SAFE_INTEGER,
    ...titles.parameters,
    ...texts.parameters,
    limit,
  );
  return rows.map((row) => ({ id: row.id, title: row.title, createdAtMs: row.created_at_ms, updatedAtMs: row.updated_at_ms }));
}

function matching(table: string, column: string, words: readonly string[]): { where: string; parameters: SqlValue[] } {
  const isLong = (word: string) => [...word].length >= 3;
  const long = words.filter(isLong);
  const short = words.filter((word) => !isLong(word));
  const where = [
    ...(long.length > 0 ? [`${table} MATCH ?`] : []),
    ...short.map(() => `instr(lower(${column}), lower(?)) > 0`),
  ].join(' AND ');
  const phrases = long.map((word) => `"${word.replaceAll('"', '""')}"`).join(' ');
  return { where, parameters: [...(long.length > 0 ? [phrases] : []), ...short] };
}
