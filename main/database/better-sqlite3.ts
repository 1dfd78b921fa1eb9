/** The binding that the product uses. Imported only by hosts, which hand it to `openDatabase`. */
import Database from 'better-sqlite3';
import type { OpenConnection, SqlConnection } from './driver.ts';

export const openBetterSqlite3: OpenConnection = (path) => new Database(path) as unknown as SqlConnection;
