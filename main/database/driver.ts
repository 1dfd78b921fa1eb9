/**
 * The little of SQLite's API that the database rests on, so that more than one binding can stand behind it: better-sqlite3, and
 * npm `libsql` (the same shape) in the Electron test, whose Node-API is too old for better-sqlite3 13.
 */
import { serviceError } from '../contract/errors.ts';
import { ConclaveError } from '../../gpu/errors.ts';

export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

export interface SqlStatement {
  run(...parameters: SqlValue[]): { readonly changes: number };
  get(...parameters: SqlValue[]): unknown;
  all(...parameters: SqlValue[]): unknown[];
}

/** What `new Database(path)` of better-sqlite3 and of libsql gives. */
export interface SqlConnection {
  exec(sql: string): unknown;
  prepare(sql: string): SqlStatement;
  close(): unknown;
}

export type OpenConnection = (path: string) => SqlConnection;

/** SQLite's errors as ours, where a person can do something about them; anything else is a bug and stays as it is. */
export function asDataError(error: unknown, path: string): unknown {
  if (error instanceof ConclaveError || !(error instanceof Error)) return error;
  const code = String((error as { code?: unknown }).code ?? '');
  const details = { path, reason: code };
  if (code.startsWith('SQLITE_FULL') || code === 'ENOSPC')
    return serviceError(
      'data.disk-full',
      `The disk that holds ${path} is full. Free some space, then try again.`,
      details,
      error,
    );
  if (code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB'))
    return serviceError(
      'data.damaged',
      `The history in ${path} is damaged (${error.message}). Close the app and move this file (and those beside it that end in -wal and -shm) elsewhere to start with an empty history, or put a backup in its place.`,
      details,
      error,
    );
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
    return serviceError('data.locked', `Another program is using ${path}. Close it, then try again.`, details, error);
  if (code.startsWith('SQLITE_CANTOPEN') || code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_IOERR'))
    return serviceError(
      'data.unwritable',
      `${path} cannot be written (${error.message}). Check the folder's permissions or choose another with --data.`,
      details,
      error,
    );
  return error;
}
