import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBetterSqlite3 } from './better-sqlite3.ts';
import { markInterrupted, listMessages } from './messages.ts';
import { openDatabase } from './open.ts';
import { openTestDatabase } from './test-database.ts';
import { temporaryFolder } from '../../tests/fixtures-services/temporary-folder.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => void (folder = temporaryFolder()));
afterEach(() => folder.remove());

test('the connection is WAL, FULL, with foreign keys', () => {
  const { db, close } = openTestDatabase(folder.path);
  expect(db.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
  expect(db.get('PRAGMA synchronous')).toEqual({ synchronous: 2 });
  expect(db.get('PRAGMA foreign_keys')).toEqual({ foreign_keys: 1 });
  close();
});

test('a file that is no database, and a folder that is not there, are named errors', () => {
  const file = path.join(folder.path, 'history.sqlite');
  writeFileSync(file, 'this is not a database, but it is long enough to be looked at as one. '.repeat(20));
  expect(() => openDatabase(file, openBetterSqlite3)).toThrow(expect.objectContaining({ code: 'data.damaged' }));
  const nowhere = path.join(folder.path, 'no', 'such', 'history.sqlite');
  expect(() => openDatabase(nowhere, openBetterSqlite3)).toThrow();
});

test('a transaction that throws leaves nothing; a nested one belongs to the outer', () => {
  const { db, close } = openTestDatabase(folder.path);
  const insert = (key: string) => db.run(`INSERT INTO settings (key, value_json, updated_at_ms) VALUES (?, '1', 0)`, key);
  expect(() =>
    db.transaction(() => {
      insert('a');
      db.transaction(() => insert('b'));
      throw new Error('changed my mind');
    }),
  ).toThrow('changed my mind');
  expect(db.all(`SELECT key FROM settings`)).toEqual([]);
  db.transaction(() => insert('c'));
  expect(db.all(`SELECT key FROM settings`)).toEqual([{ key: 'c' }]);
  close();
});

test('libsql-shaped rows lose their extra field', () => {
  const statement = { run: () => ({ changes: 0 }), all: () => [], get: () => ({ user_version: 30, _metadata: { duration: 1 } }) };
  const { db } = openDatabase('x', () => ({ exec: () => undefined, prepare: () => statement, close: () => undefined }));
  expect(db.get('PRAGMA user_version')).toEqual({ user_version: 30 });
});

test('killed in mid-write: every commit that was reported is there and the file is whole', async () => {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'kill-writer.ts'), folder.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let reported = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    reported = Number(line);
    if (reported >= 40) child.kill('SIGKILL');
  }
  const { db, close } = openTestDatabase(folder.path);
  expect(reported).toBeGreaterThanOrEqual(40);
  expect(db.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }]);
  const [question, answer] = listMessages(db, 'c');
  expect(question.content).toBe('question');
  expect(answer.content.length).toBeGreaterThanOrEqual(reported * 1000);
  expect(answer.content).toBe('x'.repeat(answer.content.length));
  expect(markInterrupted(db)).toBe(1);
  expect(listMessages(db, 'c')[1].status).toBe('interrupted');
  close();
});
