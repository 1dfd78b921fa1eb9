/** Queries over the downloads and their files. */
import type { ChecksumSource } from '../contract/downloads.ts';
import type { WireError } from '../contract/errors.ts';
import type { ReadDb, WriteDb } from './handles.ts';

export interface DownloadFileRecord {
  readonly downloadId: string;
  /** From 0. */
  readonly position: number;
  readonly name: string;
  readonly url: string;
  readonly sizeBytes: number | null;
  /** Lower-case hex. */
  readonly sha256: string | null;
  readonly sha256From: ChecksumSource | null;
  /** What tells this version of the file from another one: an entity tag or a date, as download/remote.ts writes it. */
  readonly identity: string | null;
  /** Of the part file; these are on the disk whatever happens. */
  readonly durableBytes: number;
  /** Whole and checked. */
  readonly done: boolean;
}

export interface DownloadRecord {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  /** Where the files will lie, relative to the models folder. */
  readonly folder: string;
  readonly state: 'wanted' | 'finishing' | 'paused' | 'failed';
  readonly error: WireError | null;
  readonly addedAtMs: number;
}

type DownloadRow = {
  id: string;
  name: string;
  host: string;
  folder: string;
  state: DownloadRecord['state'];
  error_json: string | null;
  added_at_ms: number;
};

type FileRow = {
  download_id: string;
  position: number;
  name: string;
  url: string;
  size_bytes: number | null;
  sha256: string | null;
  sha256_from: ChecksumSource | null;
  identity: string | null;
  durable_bytes: number;
  done: number;
};

/** Oldest first: the order in which they run. */
export function listDownloads(db: ReadDb): DownloadRecord[] {
  return db
    .all<DownloadRow>(`SELECT id, name, host, folder, state, error_json, added_at_ms FROM downloads ORDER BY added_at_ms, id`)
    .map(({ error_json, added_at_ms, ...row }) => ({
      ...row,
      error: error_json === null ? null : (JSON.parse(error_json) as WireError),
      addedAtMs: added_at_ms,
    }));
}

export function listDownloadFiles(db: ReadDb, downloadId: string): DownloadFileRecord[] {
  return db
    .all<FileRow>(
      `SELECT download_id, position, name, url, size_bytes, sha256, sha256_from, identity, durable_bytes, done
       FROM download_files WHERE download_id = ? ORDER BY position`,
      downloadId,
    )
    .map((row) => ({
      downloadId: row.download_id,
      position: row.position,
      name: row.name,
      url: row.url,
      sizeBytes: row.size_bytes,
      sha256: row.sha256,
      sha256From: row.sha256_from,
      identity: row.identity,
      durableBytes: row.durable_bytes,
      done: row.done === 1,
    }));
}

export function insertDownload(db: WriteDb, download: DownloadRecord, files: readonly DownloadFileRecord[]): void {
  db.transaction(() => {
    db.run(
      `INSERT INTO downloads (id, name, host, folder, state, error_json, added_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      download.id,
      download.name,
      download.host,
      download.folder,
      download.state,
      download.error === null ? null : JSON.stringify(download.error),
      download.addedAtMs,
    );
    for (const file of files) saveDownloadFile(db, file);
  });
}

export function setDownloadState(db: WriteDb, id: string, state: DownloadRecord['state'], error: WireError | null): void {
  db.run(`UPDATE downloads SET state = ?, error_json = ? WHERE id = ?`, state, error === null ? null : JSON.stringify(error), id);
}

/** Inserts, or replaces all but the place in the download. */
export function saveDownloadFile(db: WriteDb, file: DownloadFileRecord): void {
  db.run(
    `INSERT INTO download_files (download_id, position, name, url, size_bytes, sha256, sha256_from, identity, durable_bytes, done)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (download_id, position) DO UPDATE SET name = excluded.name, url = excluded.url, size_bytes = excluded.size_bytes,
       sha256 = excluded.sha256, sha256_from = excluded.sha256_from, identity = excluded.identity,
       durable_bytes = excluded.durable_bytes, done = excluded.done`,
    file.downloadId,
    file.position,
    file.name,
    file.url,
    file.sizeBytes,
    file.sha256,
    file.sha256From,
    file.identity,
    file.durableBytes,
    file.done ? 1 : 0,
  );
}

/** With its files. */
export function deleteDownload(db: WriteDb, id: string): void {
  db.run(`DELETE FROM downloads WHERE id = ?`, id);
}
