/** Queries over messages. Order is by `seq`, the order in which they were written. */
import type { Evidence, Passage } from '../contract/documents.ts';
import type { GenerationStats, Message, MessageStatus, Role } from '../contract/types.ts';
import type { WireError } from '../contract/errors.ts';
import type { ReadDb, WriteDb } from './handles.ts';

type MessageRow = {
  id: string;
  conversation_id: string;
  parent_id: string | null;
  role: string;
  content: string;
  status: string;
  created_at_ms: number;
  model_name: string | null;
  remote_host: string | null;
  stats_json: string | null;
  error_json: string | null;
  sources_json: string | null;
  evidence_json: string | null;
};

const COLUMNS =
  'id, conversation_id, parent_id, role, content, status, created_at_ms, model_name, remote_host, stats_json, error_json, sources_json, evidence_json';

function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    conversationId: row.conversation_id,
    parentId: row.parent_id,
    role: row.role as Role,
    content: row.content,
    status: row.status as MessageStatus,
    createdAtMs: row.created_at_ms,
    modelName: row.model_name,
    remoteHost: row.remote_host,
    stats: row.stats_json === null ? null : (JSON.parse(row.stats_json) as GenerationStats),
    error: row.error_json === null ? null : (JSON.parse(row.error_json) as WireError),
    sources: row.sources_json === null ? [] : (JSON.parse(row.sources_json) as Passage[]),
    evidence: row.evidence_json === null ? null : (JSON.parse(row.evidence_json) as Evidence),
  };
}

const sourcesJson = (sources: readonly Passage[]) => (sources.length === 0 ? null : JSON.stringify(sources));
const json = (value: unknown) => (value === null ? null : JSON.stringify(value));

/** The whole tree, oldest first. */
export function listMessages(db: ReadDb, conversationId: string): Message[] {
  return db
    .all<MessageRow>(`SELECT ${COLUMNS} FROM messages WHERE conversation_id = ? ORDER BY seq`, conversationId)
    .map(toMessage);
}

export function getMessage(db: ReadDb, id: string): Message | null {
  const row = db.get<MessageRow>(`SELECT ${COLUMNS} FROM messages WHERE id = ?`, id);
  return row ? toMessage(row) : null;
}

/** From the first message to this one. */
export function listPath(db: ReadDb, id: string): Message[] {
  const columns = COLUMNS.replaceAll(/(\w+)/g, 'messages.$1');
  return db
    .all<MessageRow>(
      `WITH RECURSIVE path (id, depth) AS (
         SELECT ?, 0
         UNION ALL
         SELECT messages.parent_id, path.depth + 1 FROM path JOIN messages ON messages.id = path.id WHERE messages.parent_id IS NOT NULL
       )
       SELECT ${columns} FROM path JOIN messages ON messages.id = path.id ORDER BY path.depth DESC`,
      id,
    )
    .map(toMessage);
}

/** The newest leaf below this message; itself when nothing follows it. */
export function newestLeafBelow(db: ReadDb, id: string): string {
  const row = db.get<{ id: string }>(
    `WITH RECURSIVE below (id, depth) AS (
       SELECT ?, 0
       UNION ALL
       SELECT (SELECT child.id FROM messages AS child WHERE child.parent_id = below.id ORDER BY child.seq DESC LIMIT 1), below.depth + 1
       FROM below WHERE below.id IS NOT NULL
     )
     SELECT id FROM below WHERE id IS NOT NULL ORDER BY depth DESC LIMIT 1`,
    id,
  );
  return row!.id;
}

export function insertMessage(db: WriteDb, message: Message): void {
  db.run(
    `INSERT INTO messages (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    message.id,
    message.conversationId,
    message.parentId,
    message.role,
    message.content,
    message.status,
    message.createdAtMs,
    message.modelName,
    message.remoteHost,
    json(message.stats),
    json(message.error),
    sourcesJson(message.sources),
    json(message.evidence),
  );
}

export function setStreaming(db: WriteDb, id: string, modelName: string, remoteHost: string | null): void {
  db.run(`UPDATE messages SET status = 'streaming', model_name = ?, remote_host = ? WHERE id = ?`, modelName, remoteHost, id);
}

/** The text so far of an answer that is being written. */
export function setContent(db: WriteDb, id: string, content: string): void {
  db.run(`UPDATE messages SET content = ? WHERE id = ?`, content, id);
}

/** The passages that an answer is given, before its first word. */
export function setSources(db: WriteDb, id: string, sources: readonly Passage[]): void {
  db.run(`UPDATE messages SET sources_json = ? WHERE id = ?`, sourcesJson(sources), id);
}

export function finishMessage(
  db: WriteDb,
  id: string,
  end: {
    content: string;
    status: MessageStatus;
    stats: GenerationStats | null;
    error: WireError | null;
    evidence: Evidence | null;
  },
): void {
  db.run(
    `UPDATE messages SET content = ?, status = ?, stats_json = ?, error_json = ?, evidence_json = ? WHERE id = ?`,
    end.content,
    end.status,
    json(end.stats),
    json(end.error),
    json(end.evidence),
    id,
  );
}

/** At the start: what was being written or waited when the app ended. Returns how many. */
export function markInterrupted(db: WriteDb): number {
  return db.run(`UPDATE messages SET status = 'interrupted' WHERE status IN ('streaming', 'queued')`);
}

/** Unfinished answers of a conversation. */
export function listUnfinished(db: ReadDb, conversationId: string): string[] {
  return db
    .all<{ id: string }>(
      `SELECT id FROM messages WHERE conversation_id = ? AND status IN ('streaming', 'queued') ORDER BY seq`,
      conversationId,
    )
    .map((row) => row.id);
}
