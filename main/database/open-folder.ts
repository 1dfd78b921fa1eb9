/** The database of a data folder, under the folder's lock: how everything but the document worker comes to it. */
import path from 'node:path';
import type { OpenConnection } from './driver.ts';
import { lockFolder, type LockHolder } from './folder-lock.ts';
import { openDatabase, type OpenDatabase } from './open.ts';

export interface OpenFolder extends OpenDatabase {
  /** Of the database file: for a second connection. */
  readonly databasePath: string;
}

/** Makes the folder where it is missing; `close` frees it. Throws `data.*` and leaves nothing locked then. */
export function openDataFolder(folder: string, holder: LockHolder, open: OpenConnection): OpenFolder {
  const lock = lockFolder(folder, holder, open);
  const databasePath = path.join(folder, 'history.sqlite');
  try {
    const { db, close } = openDatabase(databasePath, open);
    return {
      db,
      databasePath,
      close() {
        close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}
