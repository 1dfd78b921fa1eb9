/**
 * Opens the database of a data folder: WAL, foreign keys, migrations. `synchronous` is FULL: a commit is on disk when it returns, so
 * neither a question nor text that was shown is lost to a power cut. That costs one fsync per commit, which is why the chat service
 * commits an answer's text at most a few times a second.
 */
import { asDataError, type OpenConnection, type SqlConnection } from './driver.ts';
import { makeHandle, type WriteDb } from './handles.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations/all.ts';

export interface OpenDatabase {
  readonly db: WriteDb;
  close(): void;
}

/**
 * A second connection to a database that is open already, in a thread whose work can be done again: a commit may wait for the disk, and
 * waits longer for others than others wait for it.
 */
export function openWorkerDatabase(path: string, open: OpenConnection): OpenDatabase {
  const connection = open(path);
  connection.exec('PRAGMA busy_timeout = 30000');
  connection.exec('PRAGMA synchronous = NORMAL');
  connection.exec('PRAGMA foreign_keys = ON');
  return { db: makeHandle(connection, path), close: () => void connection.close() };
}

/** Throws `data.newer`, `data.damaged`, `data.locked`, `data.unwritable` or `data.disk-full`. */
export function openDatabase(path: string, open: OpenConnection): OpenDatabase {
  let connection: SqlConnection | undefined;
  try {
    connection = open(path);
    connection.exec('PRAGMA busy_timeout = 2000');
    connection.exec('PRAGMA journal_mode = WAL');
    connection.exec('PRAGMA synchronous = FULL');
    connection.exec('PRAGMA foreign_keys = ON');
    const db = makeHandle(connection, path);
    migrate(db, path, MIGRATIONS);
    const opened = connection;
    return { db, close: () => void opened.close() };
  } catch (error) {
    connection?.close();
    throw asDataError(error, path);
  }
}
