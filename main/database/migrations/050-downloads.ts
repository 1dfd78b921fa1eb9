/**
 * Downloads of models, with the files of each. How far a file is stands here only as the bytes that are certainly on the disk; a kill
 * between two commits loses what came since the last one, never more.
 */
import type { Migration } from '../migrate.ts';

export const downloads: Migration = {
  version: 50,
  statements: [
    `CREATE TABLE downloads (
       id TEXT PRIMARY KEY,
       name TEXT NOT NULL,
       host TEXT NOT NULL,
       folder TEXT NOT NULL,
       state TEXT NOT NULL CHECK (state IN ('wanted', 'finishing', 'paused', 'failed')),
       error_json TEXT,
       added_at_ms INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE download_files (
       download_id TEXT NOT NULL REFERENCES downloads (id) ON DELETE CASCADE,
       position INTEGER NOT NULL,
       name TEXT NOT NULL,
       url TEXT NOT NULL,
       size_bytes INTEGER,
       sha256 TEXT,
       sha256_from TEXT CHECK (sha256_from IN ('catalogue', 'person', 'server')),
       identity TEXT,
       durable_bytes INTEGER NOT NULL,
       done INTEGER NOT NULL CHECK (done IN (0, 1)),
       PRIMARY KEY (download_id, position)
     ) STRICT, WITHOUT ROWID`,
  ],
};
