/** For tests: a database in a temporary folder, and rows with few words. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Message } from '../contract/types.ts';
import { openBetterSqlite3 } from './better-sqlite3.ts';
import { openDatabase, type OpenDatabase } from './open.ts';

export function temporaryFolder(): { path: string; remove(): void } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave ünï '));
  return { path: folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) };
}

export function openTestDatabase(folder: string): OpenDatabase {
  return openDatabase(path.join(folder, 'history.sqlite'), openBetterSqlite3);
}

export function aMessage(given: Partial<Message> & Pick<Message, 'id' | 'conversationId'>): Message {
  return {
    parentId: null,
    role: 'user',
    content: '',
    status: 'complete',
    createdAtMs: 0,
    modelName: null,
    stats: null,
    error: null,
    ...given,
  };
}
