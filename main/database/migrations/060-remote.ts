/**
 * Servers that answer in the engine's stead, the models chosen of them, and on each answer the host that wrote it (null: this computer).
 * `key_sealed` is what the system's key store made of a key, never the key itself; without such a store the column stays null.
 */
import type { Migration } from '../migrate.ts';

export const remote: Migration = {
  version: 60,
  statements: [
    `CREATE TABLE remote_servers (
       id TEXT PRIMARY KEY,
       name TEXT NOT NULL,
       base_url TEXT NOT NULL,
       key_sealed TEXT,
       added_at_ms INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE remote_models (
       id TEXT PRIMARY KEY,
       server_id TEXT NOT NULL REFERENCES remote_servers (id) ON DELETE CASCADE,
       name TEXT NOT NULL,
       context_tokens INTEGER,
       added_at_ms INTEGER NOT NULL,
       UNIQUE (server_id, name)
     ) STRICT, WITHOUT ROWID`,
    `ALTER TABLE messages ADD COLUMN remote_host TEXT`,
  ],
};
