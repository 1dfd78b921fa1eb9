/** The models that the library knows (by reference: paths, not bytes) and the settings (one row per key, JSON values). */
import type { Migration } from '../migrate.ts';

export const modelsAndSettings: Migration = {
  version: 30,
  statements: [
    `CREATE TABLE models (
       id TEXT PRIMARY KEY,
       name TEXT NOT NULL,
       path TEXT NOT NULL UNIQUE,
       parts_json TEXT NOT NULL,
       size_bytes INTEGER NOT NULL,
       facts_json TEXT,
       problem_json TEXT,
       built_in INTEGER NOT NULL CHECK (built_in IN (0, 1)),
       owned INTEGER NOT NULL CHECK (owned IN (0, 1)),
       added_at_ms INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID`,
    `CREATE TABLE settings (
       key TEXT PRIMARY KEY,
       value_json TEXT NOT NULL,
       updated_at_ms INTEGER NOT NULL
     ) STRICT, WITHOUT ROWID`,
  ],
};
