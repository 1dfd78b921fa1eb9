/**
 * One writer per data folder. The lock is a SQLite transaction held open on a file of its own, so the system frees it when its holder
 * dies, however it dies: a stale lock cannot be. A note beside it says who holds it, for people.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ConclaveError, serviceError } from '../contract/errors.ts';
import { asDataError, type OpenConnection, type SqlConnection } from './driver.ts';

export interface LockHolder {
  readonly pid: number;
  /** Unix milliseconds. */
  readonly startedAtMs: number;
  /** Such as `browser host`. */
  readonly program: string;
}

export interface FolderLock {
  release(): void;
}

/** Makes the folder where it is missing. Throws `data.locked` with the holder, or `data.unwritable`. */
export function lockFolder(folder: string, holder: LockHolder, open: OpenConnection): FolderLock {
  const noteFile = path.join(folder, 'lock.json');
  let connection: SqlConnection | undefined;
  try {
    mkdirSync(folder, { recursive: true });
    connection = open(path.join(folder, 'lock.sqlite'));
    connection.exec('PRAGMA busy_timeout = 0');
    connection.exec('PRAGMA journal_mode = MEMORY'); // nothing is ever written: no journal file is left behind
    connection.exec('BEGIN EXCLUSIVE');
    writeFileSync(noteFile, JSON.stringify(holder));
  } catch (error) {
    connection?.close();
    throw refusal(error, folder, noteFile);
  }
  const held = connection;
  return {
    release() {
      rmSync(noteFile, { force: true });
      held.exec('ROLLBACK');
      held.close();
    },
  };
}

function refusal(error: unknown, folder: string, noteFile: string): unknown {
  const known = asDataError(error, folder);
  if (!(known instanceof ConclaveError)) return unwritable(error, folder);
  if (known.code !== 'data.locked') return known;
  const holder = readNote(noteFile);
  const who = holder
    ? `${holder.program}, process ${holder.pid}, since ${new Date(holder.startedAtMs).toISOString()}`
    : 'another process';
  return serviceError(
    'data.locked',
    `Conclave is already running with the data folder ${folder} (${who}). Use that one, close it, or choose another folder with --data.`,
    { folder, pid: holder?.pid ?? null, startedAtMs: holder?.startedAtMs ?? null, program: holder?.program ?? null },
    error,
  );
}

function unwritable(error: unknown, folder: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (!(error instanceof Error) || code === undefined) return error;
  return serviceError(
    'data.unwritable',
    `The data folder ${folder} cannot be used (${error.message}). Check its permissions or choose another with --data.`,
    { path: folder, reason: code },
    error,
  );
}

/** Null where the holder is between taking the lock and writing its note. */
function readNote(noteFile: string): LockHolder | null {
  try {
    return JSON.parse(readFileSync(noteFile, 'utf8')) as LockHolder;
  } catch {
    return null;
  }
}
