/** Conversations and their messages. Messages form a tree: siblings are versions. `leaf_id` is the end of the branch that is shown. */
import type { Migration } from '../migrate.ts';

export const history: Migration = {
  version: 10,
  statements: [
    `CREATE TABLE conversations (
       seq INTEGER PRIMARY KEY,
       id TEXT NOT NULL UNIQUE,
       title TEXT NOT NULL,
       leaf_id TEXT REFERENCES messages (id) ON DELETE SET NULL,
       created_at_ms INTEGER NOT NULL,
       updated_at_ms INTEGER NOT NULL
     ) STRICT`,
    `CREATE INDEX conversations_by_time ON conversations (updated_at_ms DESC, seq DESC)`,
    `CREATE TABLE messages (
       seq INTEGER PRIMARY KEY,
       id TEXT NOT NULL UNIQUE,
       conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
       parent_id TEXT REFERENCES messages (id) ON DELETE CASCADE,
       role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
       content TEXT NOT NULL,
       status TEXT NOT NULL CHECK (status IN ('complete', 'streaming', 'queued', 'stopped', 'interrupted', 'failed')),
       created_at_ms INTEGER NOT NULL,
       model_name TEXT,
       stats_json TEXT,
       error_json TEXT
     ) STRICT`,
    `CREATE INDEX messages_by_conversation ON messages (conversation_id, seq)`,
    `CREATE INDEX messages_by_parent ON messages (parent_id)`,
    `CREATE INDEX conversations_by_leaf ON conversations (leaf_id)`,
    `CREATE INDEX messages_unfinished ON messages (status) WHERE status IN ('streaming', 'queued')`,
  ],
};
