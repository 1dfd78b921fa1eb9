import path from 'node:path';
import { RuleTester } from 'eslint';
import typescript from 'typescript-eslint';
import { describe, it } from 'vitest';
import { sql } from './sql.ts';

RuleTester.describe = describe;
RuleTester.it = it;

const tester = new RuleTester({ languageOptions: { parser: typescript.parser as never } });
const filename = path.join(process.cwd(), 'main/chat/answer.ts');
const misplaced = (code: string) => ({ name: code, filename, code, errors: [{ messageId: 'misplaced' }] });

tester.run('conclave/sql', sql as never, {
  valid: [
    {
      name: 'where it belongs',
      filename: path.join(process.cwd(), 'main/database/messages.ts'),
      code: "db.prepare('SELECT id FROM messages');",
    },
    { name: 'prose', filename, code: "notify('Select a model from the list: update it or insert a new one.'.toUpperCase);" },
    { name: 'words', filename, code: "const verbs = ['select', 'update', 'delete', 'begin'];" },
  ],
  invalid: [
    misplaced("db.prepare('SELECT id FROM messages WHERE id = ?');"),
    misplaced("db.exec('  insert or replace into settings values (1)');"),
    misplaced('db.exec(`UPDATE messages SET text = ${text}`);'),
    misplaced("db.exec('DELETE FROM messages');"),
    misplaced("db.exec('CREATE TABLE t (id INTEGER) STRICT');"),
    misplaced("db.exec('CREATE VIRTUAL TABLE t USING fts5(x)');"),
    misplaced("db.exec('PRAGMA journal_mode = WAL');"),
    misplaced("db.exec('BEGIN IMMEDIATE');"),
  ],
});
