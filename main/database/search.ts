/**
 * Search over titles and message text: a conversation is found when all words of the query occur in its title, or all in one of its
 * messages, anywhere inside words. The trigram index needs three characters; shorter words are looked for without it. The index holds a
 * model's thoughts too; pages fold them away, so what it finds in an answer with thoughts must stand behind them.
 */
import type { ConversationSummary } from '../contract/types.ts';
import type { ReadDb } from './handles.ts';
import type { SqlValue } from './driver.ts';

type SummaryRow = { id: string; title: string; created_at_ms: number; updated_at_ms: number };

/** More words than this add nothing but work. */
const MOST_WORDS = 16;

/** As `splitThoughts` (main/contract/thoughts.ts) tells them, but for a block that was not opened. */
const TRIMMED = `ltrim(content, char(9, 10, 13, 32))`;
const HAS_THOUGHTS = `role = 'assistant' AND (${TRIMMED} LIKE '<think>%' OR ${TRIMMED} LIKE '<thinking>%')`;
const ANSWER = `CASE instr(content, '</think') WHEN 0 THEN '' ELSE substr(content, instr(content, '</think') + 8) END`;

/** Newest first. A query without any word finds nothing. */
export function searchConversations(db: ReadDb, query: string, limit: number, beforeMs: number | null): ConversationSummary[] {
  const words = query
    .split(/\s+/)
    .filter((word) => word !== '')
    .slice(0, MOST_WORDS);
  if (words.length === 0) return [];
  const titles = matching('titles_search', 'title', words);
  const texts = matching('messages_search', 'content', words);
  const shown = inAnswer(words);
  const rows = db.all<SummaryRow>(
    `SELECT id, title, created_at_ms, updated_at_ms FROM conversations
     WHERE updated_at_ms < ? AND (
       seq IN (SELECT rowid FROM titles_search WHERE ${titles.where})
       OR id IN (
         SELECT conversation_id FROM messages
         WHERE seq IN (SELECT rowid FROM messages_search WHERE ${texts.where}) AND (NOT (${HAS_THOUGHTS}) OR (${shown.where}))
       )
     )
     ORDER BY updated_at_ms DESC, seq DESC LIMIT ?`,
    beforeMs ?? Number.MAX_SAFE_INTEGER,
    ...titles.parameters,
    ...texts.parameters,
    ...shown.parameters,
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

/** SQLite's `lower` knows ASCII alone; of other letters the usual spellings are tried. */
function inAnswer(words: readonly string[]): { where: string; parameters: SqlValue[] } {
  const spellings = words.map((word) => {
    const lower = word.toLowerCase();
    return [...new Set([word, lower, word.toUpperCase(), lower.charAt(0).toUpperCase() + lower.slice(1)])];
  });
  const where = spellings
    .map((forms) => `(${forms.map(() => `instr(lower(${ANSWER}), lower(?)) > 0`).join(' OR ')})`)
    .join(' AND ');
  return { where, parameters: spellings.flat() };
}
