/**
 * Full-text search over titles and text. Trigrams find any part of a word, in every script. The text lives in the tables only
 * (external content); triggers keep the index, and an answer enters it when it is finished, not at each of its small commits.
 */
import type { Migration } from '../migrate.ts';

const FINISHED = (row: string) => `${row}.status NOT IN ('streaming', 'queued')`;
const ADD_TEXT = `INSERT INTO messages_search (rowid, content) VALUES (new.seq, new.content);`;
const TAKE_TEXT = `INSERT INTO messages_search (messages_search, rowid, content) VALUES ('delete', old.seq, old.content);`;
const ADD_TITLE = `INSERT INTO titles_search (rowid, title) VALUES (new.seq, new.title);`;
const TAKE_TITLE = `INSERT INTO titles_search (titles_search, rowid, title) VALUES ('delete', old.seq, old.title);`;

export const search: Migration = {
  version: 20,
  statements: [
    `CREATE VIRTUAL TABLE messages_search USING fts5 (content, content='messages', content_rowid='seq', tokenize='trigram')`,
    `CREATE VIRTUAL TABLE titles_search USING fts5 (title, content='conversations', content_rowid='seq', tokenize='trigram')`,
    `INSERT INTO messages_search (rowid, content) SELECT seq, content FROM messages WHERE ${FINISHED('messages')}`,
    `INSERT INTO titles_search (rowid, title) SELECT seq, title FROM conversations`,
    `CREATE TRIGGER messages_search_insert AFTER INSERT ON messages WHEN ${FINISHED('new')} BEGIN ${ADD_TEXT} END`,
    `CREATE TRIGGER messages_search_delete AFTER DELETE ON messages WHEN ${FINISHED('old')} BEGIN ${TAKE_TEXT} END`,
    `CREATE TRIGGER messages_search_leave AFTER UPDATE OF content, status ON messages WHEN ${FINISHED('old')} BEGIN ${TAKE_TEXT} END`,
    `CREATE TRIGGER messages_search_enter AFTER UPDATE OF content, status ON messages WHEN ${FINISHED('new')} BEGIN ${ADD_TEXT} END`,
    `CREATE TRIGGER titles_search_insert AFTER INSERT ON conversations BEGIN ${ADD_TITLE} END`,
    `CREATE TRIGGER titles_search_delete AFTER DELETE ON conversations BEGIN ${TAKE_TITLE} END`,
    `CREATE TRIGGER titles_search_update AFTER UPDATE OF title ON conversations BEGIN ${TAKE_TITLE} ${ADD_TITLE} END`,
  ],
};
