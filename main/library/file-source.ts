/**
 * A file on disk as the engine's ByteSource. The handle stays open; size and time are checked when a read comes short or fails
 * and on `verify`, so that a file replaced under our feet is `file.changed`, never wrong numbers.
 */
import { readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { engineError } from '../../gpu/errors.ts';
import type { ByteSource } from '../../gpu/gguf/types.ts';

/** One `read` of a file handle takes at most this on Windows and macOS (2 GiB - 1); we stay far below it. */
const LONGEST_READ_BYTES = 2 ** 30;

export interface FileSource extends ByteSource {
  readNow(offsetBytes: number, target: Uint8Array): boolean;
  readonly path: string;
  readonly modifiedAtMs: number;
  /** Rejects with `file.changed` when size or time differ from when it was opened. */
  verify(): Promise<void>;
  close(): Promise<void>;
}

/** Rejects with `file.read` when the file cannot be opened or is no regular file. */
export async function openFileSource(filePath: string): Promise<FileSource> {
  const handle = await openHandle(filePath);
  try {
    const stat = await handle.stat();
    if (!stat.isFile())
      throw engineError('file.read', `${filePath} is not a file. Give the path of a .gguf file.`, { path: filePath });
    return new HandleSource(handle, filePath, stat.size, stat.mtimeMs);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openHandle(filePath: string): Promise<FileHandle> {
  try {
    return await open(filePath, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason =
      code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'reading it is not allowed' : (error as Error).message;
    throw engineError(
      'file.read',
      `${filePath} could not be opened: ${reason}.`,
      { path: filePath, reason: code ?? 'unknown' },
      error,
    );
  }
}

class HandleSource implements FileSource {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
  readonly #handle: FileHandle;

  constructor(handle: FileHandle, filePath: string, sizeBytes: number, modifiedAtMs: number) {
    this.#handle = handle;
    this.name = path.basename(filePath);
    this.path = filePath;
    this.sizeBytes = sizeBytes;
    this.modifiedAtMs = modifiedAtMs;
  }

  async read(offsetBytes: number, lengthBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
    this.#checkRange(offsetBytes, lengthBytes);
    const bytes = new Uint8Array(lengthBytes);
    await this.readInto(offsetBytes, bytes, signal);
    return bytes;
  }

  async readInto(offsetBytes: number, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    const lengthBytes = target.byteLength;
    this.#checkRange(offsetBytes, lengthBytes);
    let done = 0;
    while (done < lengthBytes) {
      signal?.throwIfAborted();
      const wanted = Math.min(lengthBytes - done, LONGEST_READ_BYTES);
      const got = await this.#readOnce(target, done, wanted, offsetBytes + done);
      if (target.byteLength !== lengthBytes)
        throw engineError('file.read', `The memory for bytes of ${this.path} was released while they were read.`, {
          path: this.path,
        });
      if (got === 0) {
        await this.verify();
        throw this.#short(offsetBytes, lengthBytes, done);
      }
      done += got;
    }
  }

  readNow(offsetBytes: number, target: Uint8Array): boolean {
    try {
      if (offsetBytes < 0) return false; // would mean: from where the last read ended
      return readSync(this.#handle.fd, target, 0, target.byteLength, offsetBytes) === target.byteLength;
    } catch {
      return false;
    }
  }

  async verify(): Promise<void> {
    const stat = await this.#handle.stat();
    if (stat.size === this.sizeBytes && stat.mtimeMs === this.modifiedAtMs) return;
    throw engineError(
      'file.changed',
      `${this.path} changed while it was open (size ${this.sizeBytes} → ${stat.size} bytes). Load the model again.`,
      { path: this.path, sizeBytes: stat.size, expectedBytes: this.sizeBytes },
    );
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #readOnce(target: Uint8Array, at: number, length: number, position: number): Promise<number> {
    try {
      return (await this.#handle.read(target, at, length, position)).bytesRead;
    } catch (error) {
      throw engineError(
        'file.read',
        `${this.path} could not be read at byte ${position}: ${(error as Error).message}.`,
        { path: this.path, offsetBytes: position },
        error,
      );
    }
  }

  #checkRange(offsetBytes: number, lengthBytes: number): void {
    const valid = Number.isSafeInteger(offsetBytes) && Number.isSafeInteger(lengthBytes) && offsetBytes >= 0 && lengthBytes >= 0;
    if (!valid || offsetBytes + lengthBytes > this.sizeBytes) throw this.#short(offsetBytes, lengthBytes, 0);
  }

  #short(offsetBytes: number, lengthBytes: number, got: number): Error {
    return engineError(
      'file.read',
      `${this.path} holds ${this.sizeBytes} bytes; ${lengthBytes} were wanted at ${offsetBytes} (${got} came). The file may be incomplete.`,
      { path: this.path, offsetBytes, lengthBytes, sizeBytes: this.sizeBytes },
    );
  }
}
