import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBetterSqlite3 } from './better-sqlite3.ts';
import { lockFolder } from './folder-lock.ts';
import { temporaryFolder } from '../../tests/fixtures-services/temporary-folder.ts';

const ME = { pid: process.pid, startedAtMs: 1000, program: 'test' };
let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => void (folder = temporaryFolder()));
afterEach(() => folder.remove());

const lock = (at = folder.path) => lockFolder(at, ME, openBetterSqlite3);

test('a second one is told who holds it; after release it is free', () => {
  const first = lock();
  expect(() => lock()).toThrow(
    expect.objectContaining({
      code: 'data.locked',
      details: { folder: folder.path, ...ME },
      message: expect.stringContaining(`process ${ME.pid}`),
    }),
  );
  first.release();
  lock().release();
  expect(existsSync(path.join(folder.path, 'lock.json'))).toBe(false);
});

test('another process holds it until it is killed; then it is taken over', async () => {
  const script = path.join(import.meta.dirname, 'lock-holder.ts');
  const child = spawn(process.execPath, [script, folder.path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  expect(() => lock()).toThrow(
    expect.objectContaining({ code: 'data.locked', details: expect.objectContaining({ pid: child.pid }) }),
  );
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(path.join(folder.path, 'lock.json'))).toBe(true); // the note of the dead holder
  lock().release();
});

test('a missing folder is made; one that cannot be is named', () => {
  lock(path.join(folder.path, 'a', 'b')).release();
  const file = path.join(folder.path, 'file');
  writeFileSync(file, '');
  expect(() => lock(path.join(file, 'below'))).toThrow(expect.objectContaining({ code: 'data.unwritable' }));
});
