/**
 * Collections of documents. What was read of a file is a version: written in small transactions, invisible until the last one makes it
 * current, so a crash leaves nothing half and nothing twice. The search index holds terms only (contentless); chunks hold the text.
 */
import type { Migration } from '../migrate.ts';

export const documents: Migration = {
  version: 40,
  statements: [
    `CREATE TABLE collections (
       id TEXT PRIMARY KEY,
       name TEXT NOT NULL,
       created_at_ms INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE documents (
       seq INTEGER PRIMARY KEY,
       id TEXT NOT NULL UNIQUE,
       collection_id TEXT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
       title TEXT NOT NULL,
       path TEXT NOT NULL,
       kind TEXT NOT NULL CHECK (kind IN ('pdf', 'docx', 'html', 'markdown', 'text', 'csv', 'code')),
       size_bytes INTEGER NOT NULL,
       modified_at_ms REAL NOT NULL,
       status TEXT NOT NULL CHECK (status IN ('queued', 'ready', 'changed', 'missing', 'failed')),
       error_json TEXT,
       added_at_ms INTEGER NOT NULL,
       UNIQUE (collection_id, path)
     ) STRICT`,
    `CREATE INDEX documents_waiting ON documents (seq) WHERE status = 'queued'`,
    `CREATE TABLE document_versions (
       seq INTEGER PRIMARY KEY,
       document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
       is_current INTEGER NOT NULL CHECK (is_current IN (0, 1)),
       chunks INTEGER NOT NULL,
       pages INTEGER,
       pages_json TEXT NOT NULL,
       text TEXT NOT NULL
     ) STRICT`,
    `CREATE UNIQUE INDEX document_versions_current ON document_versions (document_id) WHERE is_current = 1`,
    `CREATE INDEX document_versions_by_document ON document_versions (document_id)`,
    `CREATE TABLE chunks (
       seq INTEGER PRIMARY KEY,
       version_seq INTEGER NOT NULL REFERENCES document_versions (seq) ON DELETE CASCADE,
       number INTEGER NOT NULL,
       page INTEGER,
       heading TEXT,
       start INTEGER NOT NULL,
       "end" INTEGER NOT NULL,
       text TEXT NOT NULL
     ) STRICT`,
    `CREATE UNIQUE INDEX chunks_by_version ON chunks (version_seq, number)`,
    // Accents do not count; English endings do not count (porter leaves other languages nearly alone).
    `CREATE VIRTUAL TABLE chunks_search USING fts5 (
       title, heading, body, content='', contentless_delete=1, tokenize='porter unicode61 remove_diacritics 2'
     )`,
    `CREATE TRIGGER chunks_search_delete AFTER DELETE ON chunks BEGIN DELETE FROM chunks_search WHERE rowid = old.seq; END`,
    `ALTER TABLE conversations ADD COLUMN collection_id TEXT REFERENCES collections (id) ON DELETE SET NULL`,
    `CREATE INDEX conversations_by_collection ON conversations (collection_id) WHERE collection_id IS NOT NULL`,
    `ALTER TABLE messages ADD COLUMN sources_json TEXT`,
    `ALTER TABLE messages ADD COLUMN evidence_json TEXT`,
  ],
};
