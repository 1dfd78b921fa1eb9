import Database from 'better-sqlite3';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBetterSqlite3 } from './better-sqlite3.ts';
import { listCollections } from './collections.ts';
import { getConversation, listConversations } from './conversations.ts';
import { listDownloads } from './downloads.ts';
import { makeHandle } from './handles.ts';
import { getMessage, listMessages } from './messages.ts';
import { migrate, schemaVersion, type Migration } from './migrate.ts';
import { MIGRATIONS } from './migrations/all.ts';
import { listModels } from './models.ts';
import { openDatabase } from './open.ts';
import { searchConversations } from './search.ts';
import { temporaryFolder } from '../../tests/fixtures-services/temporary-folder.ts';

const newest = MIGRATIONS.at(-1)!.version;
let folder: ReturnType<typeof temporaryFolder>;
let file: string;
beforeEach(() => {
  folder = temporaryFolder();
  file = path.join(folder.path, 'history.sqlite');
});
afterEach(() => folder.remove());

/** A database at `version`, filled by `rows`, closed again. */
function databaseAt(version: number, rows: string[] = []): void {
  const raw = new Database(file);
  const upTo = MIGRATIONS.filter((migration) => migration.version <= version);
  if (upTo.length > 0) migrate(makeHandle(openBetterSqlite3(file), file), file, upTo);
  raw.pragma('foreign_keys = ON');
  for (const row of rows) raw.exec(row);
  raw.close();
}

test('versions are multiples of ten and rise', () => {
  const versions = MIGRATIONS.map((migration) => migration.version);
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  expect(versions.filter((version) => version % 10 !== 0)).toEqual([]);
});

test('all tables are STRICT', () => {
  const { db, close } = openDatabase(file, openBetterSqlite3);
  const tables = db.all<{ name: string; strict: number }>(
    `SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT GLOB '*_search*'`,
  );
  expect(tables.map((table) => table.name).sort()).toEqual([
    'chunks',
    'collections',
    'conversations',
    'document_versions',
    'documents',
    'download_files',
    'downloads',
    'messages',
    'models',
    'remote_models',
    'remote_servers',
    'settings',
  ]);
  expect(tables.filter((table) => table.strict !== 1)).toEqual([]);
  close();
});

test('0 → 10: an empty file gets the history', () => {
  databaseAt(0);
  databaseAt(10, [`INSERT INTO conversations (id, title, created_at_ms, updated_at_ms) VALUES ('c', 'Title', 1, 2)`]);
  const raw = new Database(file, { readonly: true });
  expect(raw.pragma('user_version', { simple: true })).toBe(10);
  expect(raw.prepare('SELECT id, leaf_id FROM conversations').all()).toEqual([{ id: 'c', leaf_id: null }]);
  raw.close();
});

test('10 → 20: rows that are already there are found, unfinished answers are not indexed yet', () => {
  databaseAt(10, [
    `INSERT INTO conversations (id, title, created_at_ms, updated_at_ms) VALUES ('c', 'Holiday plans', 1, 2), ('d', 'Other', 1, 3)`,
    `INSERT INTO messages (id, conversation_id, role, content, status, created_at_ms) VALUES
       ('m', 'd', 'user', 'the zeppelin question', 'complete', 1), ('n', 'c', 'assistant', 'half a marzipan', 'streaming', 1)`,
  ]);
  const { db, close } = openDatabase(file, openBetterSqlite3);
  expect(searchConversations(db, 'holid', 9, null).map((found) => found.id)).toEqual(['c']);
  expect(searchConversations(db, 'zeppelin', 9, null).map((found) => found.id)).toEqual(['d']);
  expect(searchConversations(db, 'marzipan', 9, null)).toEqual([]);
  db.run(`UPDATE messages SET status = 'interrupted' WHERE id = 'n'`);
  expect(searchConversations(db, 'marzipan', 9, null).map((found) => found.id)).toEqual(['c']);
  db.run(`INSERT INTO messages_search (messages_search, rank) VALUES ('integrity-check', 1)`);
  db.run(`INSERT INTO titles_search (titles_search, rank) VALUES ('integrity-check', 1)`);
  close();
});

test('20 → 30: models and settings come, the history stays', () => {
  databaseAt(20, [`INSERT INTO conversations (id, title, created_at_ms, updated_at_ms) VALUES ('c', 'Kept', 1, 2)`]);
  const { db, close } = openDatabase(file, openBetterSqlite3);
  expect(listConversations(db, 9, null)).toEqual([{ id: 'c', title: 'Kept', createdAtMs: 1, updatedAtMs: 2 }]);
  expect(db.all(`SELECT id FROM models`)).toEqual([]);
  close();
});

test('30 → 40: collections come, conversations look into none and answers have no sources', () => {
  databaseAt(30, [
    `INSERT INTO conversations (id, title, created_at_ms, updated_at_ms) VALUES ('c', 'Kept', 1, 2)`,
    `INSERT INTO messages (id, conversation_id, role, content, status, created_at_ms) VALUES ('m', 'c', 'assistant', 'old', 'complete', 1)`,
  ]);
  const { db, close } = openDatabase(file, openBetterSqlite3);
  expect(getConversation(db, 'c')).toMatchObject({ title: 'Kept', collectionId: null });
  expect(listMessages(db, 'c')).toMatchObject([{ content: 'old', sources: [], evidence: null }]);
  expect(listCollections(db)).toEqual([]);
  expect(schemaVersion(db)).toBe(newest);
  close();
});

test('40 → 50: downloads come, models stay', () => {
  databaseAt(40, [
    `INSERT INTO models (id, name, path, parts_json, size_bytes, built_in, owned, added_at_ms) VALUES ('m', 'M', '/m.gguf', '[]', 1, 0, 1, 2)`,
  ]);
  const { db, close } = openDatabase(file, openBetterSqlite3);
  expect(listModels(db).map(({ id }) => id)).toEqual(['m']);
  expect(listDownloads(db)).toEqual([]);
  expect(schemaVersion(db)).toBeGreaterThanOrEqual(50);
  close();
});

test('40 → 60: servers come, answers of before were written here', () => {
  databaseAt(40, [
    `INSERT INTO conversations (id, title, created_at_ms, updated_at_ms) VALUES ('c', 'Kept', 1, 2)`,
    `INSERT INTO messages (id, conversation_id, role, content, status, created_at_ms) VALUES ('m', 'c', 'assistant', 'A', 'complete', 1)`,
  ]);
  const { db, close } = openDatabase(file, openBetterSqlite3);
  expect(getMessage(db, 'm')).toMatchObject({ content: 'A', remoteHost: null });
  db.run(`INSERT INTO remote_servers (id, name, base_url, added_at_ms) VALUES ('s', 'Box', 'http://127.0.0.1/v1', 1)`);
  db.run(`INSERT INTO remote_models (id, server_id, name, added_at_ms) VALUES ('r', 's', 'big', 1)`);
  db.run(`DELETE FROM remote_servers`);
  expect(db.all(`SELECT id FROM remote_models`)).toEqual([]);
  close();
});

test('a migration that fails leaves the version and the tables of before', () => {
  const broken: Migration[] = [
    { version: 10, statements: ['CREATE TABLE a (x INTEGER) STRICT'] },
    { version: 20, statements: ['CREATE TABLE b (x INTEGER) STRICT', 'CREATE TABLE a (x INTEGER) STRICT'] },
  ];
  const db = makeHandle(openBetterSqlite3(file), file);
  expect(() => migrate(db, file, broken)).toThrow('already exists');
  expect(schemaVersion(db)).toBe(10);
  expect(db.all(`SELECT name FROM sqlite_schema`)).toEqual([{ name: 'a' }]);
});

test('versions that do not rise are a bug of ours', () => {
  const db = makeHandle(openBetterSqlite3(file), file);
  const twice = [
    { version: 10, statements: [] },
    { version: 10, statements: [] },
  ];
  expect(() => migrate(db, file, twice)).toThrow('does not follow');
});

test('a newer file is refused and not touched', () => {
  openDatabase(file, openBetterSqlite3).close();
  const raw = new Database(file);
  raw.pragma('user_version = 9990');
  raw.close();
  expect(() => openDatabase(file, openBetterSqlite3)).toThrow(
    expect.objectContaining({ code: 'data.newer', details: { path: file, foundVersion: 9990, knownVersion: newest } }),
  );
  const again = new Database(file, { readonly: true });
  expect(again.pragma('user_version', { simple: true })).toBe(9990);
  again.close();
});
