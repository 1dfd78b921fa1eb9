/**
 * The file that a download grows into: appended, hashed as it grows, flushed now and then. Only flushed bytes count as there: on opening,
 * what lies behind them is cut off and the rest is read again for the hash, so that neither a kill nor a power cut can leave a hole.
 */
import { createHash, type Hash } from 'node:crypto';
import { mkdir, open, rename, stat, statfs, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { serviceError } from '../../contract/errors.ts';

/** Kept free on the disk: the history must stay writable. */
export const SPARE_BYTES = 256 * 2 ** 20;
const HASH_PIECE_BYTES = 2 ** 20;

export class PartFile {
  readonly #handle: FileHandle;
  readonly #path: string;
  #hash: Hash = createHash('sha256');
  #sizeBytes = 0;

  private constructor(handle: FileHandle, filePath: string) {
    this.#handle = handle;
    this.#path = filePath;
  }

  /**
   * Opens or makes it and reads the first `durableBytes` for the hash; fewer where the file is shorter. `onHashed` hears how far that is.
   * Rejects with data.* when the disk does not let us.
   */
  static async open(
    filePath: string,
    durableBytes: number,
    onHashed: (bytes: number) => void,
    signal: AbortSignal,
  ): Promise<PartFile> {
    await mkdir(path.dirname(filePath), { recursive: true }).catch((error: unknown) => {
      throw asDiskError(error, filePath);
    });
    const isNew = (await stat(filePath).catch(() => null)) === null;
    const handle = await open(filePath, isNew ? 'wx+' : 'r+').catch((error: unknown) => {
      throw asDiskError(error, filePath);
    });
    const part = new PartFile(handle, filePath);
    try {
      await part.#takeUp(durableBytes, onHashed, signal);
      return part;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const rest = bytes.subarray(done);
      const { bytesWritten } = await this.#guard(() => this.#handle.write(rest, 0, rest.length, this.#sizeBytes + done));
      done += bytesWritten;
    }
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.length;
  }

  /** Returns the bytes that are certainly on the disk now. */
  async flush(): Promise<number> {
    const { sizeBytes } = this;
    await this.#guard(() => this.#handle.sync());
    return sizeBytes;
  }

  /** Empties it. */
  async restart(): Promise<void> {
    await this.#guard(() => this.#handle.truncate(0));
    this.#hash = createHash('sha256');
    this.#sizeBytes = 0;
  }

  /** Of all bytes so far, lower-case hex. */
  sha256(): string {
    return this.#hash.copy().digest('hex');
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #takeUp(durableBytes: number, onHashed: (bytes: number) => void, signal: AbortSignal): Promise<void> {
    const found = (await this.#handle.stat()).size;
    const keptBytes = Math.min(found, durableBytes);
    if (found > keptBytes) await this.#guard(() => this.#handle.truncate(keptBytes));
    const piece = new Uint8Array(HASH_PIECE_BYTES);
    while (this.#sizeBytes < keptBytes) {
      signal.throwIfAborted();
      const wanted = Math.min(piece.length, keptBytes - this.#sizeBytes);
      const { bytesRead } = await this.#guard(() => this.#handle.read(piece, 0, wanted, this.#sizeBytes));
      if (bytesRead === 0) break;
      this.#hash.update(piece.subarray(0, bytesRead));
      this.#sizeBytes += bytesRead;
      onHashed(this.#sizeBytes);
    }
  }

  async #guard<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      throw asDiskError(error, this.#path);
    }
  }
}

/** Throws `data.disk-full` unless `neededBytes` and some room fit on the disk of `folder`, which exists. */
export async function checkSpace(folder: string, neededBytes: number, name: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes + SPARE_BYTES) return;
  throw serviceError(
    'data.disk-full',
    `${name} needs ${gigabytes(neededBytes)} more; the disk of ${folder} has ${gigabytes(freeBytes)} free, and ${gigabytes(SPARE_BYTES)} are kept for the history. Free some space, then resume.`,
    { name, neededBytes, freeBytes, folder },
  );
}

/** Gives a whole file its name. The folder is flushed too, where the system lets us. */
export async function settle(partPath: string, target: string): Promise<void> {
  try {
    await mkdir(path.dirname(target), { recursive: true });
    await rename(partPath, target);
  } catch (error) {
    throw asDiskError(error, target);
  }
  const folder = await open(path.dirname(target), 'r').catch(() => null); // Windows cannot open folders
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

function gigabytes(bytes: number): string {
  return bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(1)} GiB` : `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

function asDiskError(error: unknown, filePath: string): unknown {
  if (!(error instanceof Error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return serviceError(
      'data.disk-full',
      `The disk that holds ${filePath} is full. Free some space, then resume.`,
      { path: filePath },
      error,
    );
  return serviceError(
    'data.unwritable',
    `${filePath} could not be written: ${error.message}.`,
    { path: filePath, reason: code },
    error,
  );
}
