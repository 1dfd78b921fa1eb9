/** For tests: a database in a folder, and rows with few words. */
import path from 'node:path';
import type { Message } from '../contract/types.ts';
import { openBetterSqlite3 } from './better-sqlite3.ts';
import { openDatabase, type OpenDatabase } from './open.ts';

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
    remoteHost: null,
    stats: null,
    error: null,
    sources: [],
    evidence: null,
    ...given,
  };
}
