/** Queries over servers and the models chosen of them. Addresses and names only; a key comes here sealed or not at all. */
import type { ReadDb, WriteDb } from './handles.ts';

export interface RemoteServerRecord {
  readonly id: string;
  readonly name: string;
  readonly baseUrl: string;
  /** What the system's key store made of the key; null where none is kept. */
  readonly sealedKey: string | null;
  readonly addedAtMs: number;
}

export interface RemoteModelRecord {
  readonly id: string;
  readonly serverId: string;
  readonly name: string;
  readonly contextTokens: number | null;
  readonly addedAtMs: number;
}

type ServerRow = { id: string; name: string; base_url: string; key_sealed: string | null; added_at_ms: number };
type ModelRow = { id: string; server_id: string; name: string; context_tokens: number | null; added_at_ms: number };

const SERVER_COLUMNS = 'id, name, base_url, key_sealed, added_at_ms';
const MODEL_COLUMNS = 'id, server_id, name, context_tokens, added_at_ms';

function toServer(row: ServerRow): RemoteServerRecord {
  return { id: row.id, name: row.name, baseUrl: row.base_url, sealedKey: row.key_sealed, addedAtMs: row.added_at_ms };
}

function toModel(row: ModelRow): RemoteModelRecord {
  const { id, server_id: serverId, name, context_tokens: contextTokens, added_at_ms: addedAtMs } = row;
  return { id, serverId, name, contextTokens, addedAtMs };
}

/** Oldest first. */
export function listServers(db: ReadDb): RemoteServerRecord[] {
  return db.all<ServerRow>(`SELECT ${SERVER_COLUMNS} FROM remote_servers ORDER BY added_at_ms, id`).map(toServer);
}

export function getServer(db: ReadDb, id: string): RemoteServerRecord | null {
  const row = db.get<ServerRow>(`SELECT ${SERVER_COLUMNS} FROM remote_servers WHERE id = ?`, id);
  return row ? toServer(row) : null;
}

/** Inserts, or replaces what is known under this id. */
export function saveServer(db: WriteDb, server: RemoteServerRecord): void {
  db.run(
    `INSERT INTO remote_servers (${SERVER_COLUMNS}) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, base_url = excluded.base_url, key_sealed = excluded.key_sealed`,
    server.id,
    server.name,
    server.baseUrl,
    server.sealedKey,
    server.addedAtMs,
  );
}

/** Its models go with it. */
export function deleteServer(db: WriteDb, id: string): void {
  db.run(`DELETE FROM remote_servers WHERE id = ?`, id);
}

/** Of all servers, oldest first. */
export function listRemoteModels(db: ReadDb): RemoteModelRecord[] {
  return db.all<ModelRow>(`SELECT ${MODEL_COLUMNS} FROM remote_models ORDER BY added_at_ms, id`).map(toModel);
}

export function getRemoteModel(db: ReadDb, id: string): RemoteModelRecord | null {
  const row = db.get<ModelRow>(`SELECT ${MODEL_COLUMNS} FROM remote_models WHERE id = ?`, id);
  return row ? toModel(row) : null;
}

/** A model of that name of the same server keeps its id. Returns the row as it is then. */
export function saveRemoteModel(db: WriteDb, model: RemoteModelRecord): RemoteModelRecord {
  const row = db.get<ModelRow>(
    `INSERT INTO remote_models (${MODEL_COLUMNS}) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (server_id, name) DO UPDATE SET context_tokens = excluded.context_tokens
     RETURNING ${MODEL_COLUMNS}`,
    model.id,
    model.serverId,
    model.name,
    model.contextTokens,
    model.addedAtMs,
  );
  return toModel(row!);
}

export function deleteRemoteModel(db: WriteDb, id: string): void {
  db.run(`DELETE FROM remote_models WHERE id = ?`, id);
}
