/**
 * What every upload has in common: a plain name, an announced size that fits on the disk, and a body that is streamed into a `.part` file
 * and held against that size. What goes wrong is said as request.invalid or data.*.
 */
import { createWriteStream } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConclaveError, serviceError } from '../../contract/errors.ts';

export const PART = '.part';
/** Longest name that every file system takes, with room for our suffix. */
const MAX_NAME_CHARS = 150;
/** Kept free on the disk: the history must stay writable. */
const SPARE_BYTES = 64 * 2 ** 20;

/** Sees a piece of the body before it is written, and where in the file it begins. What it throws ends the upload. */
type Look = (chunk: Buffer, atByte: number) => void;

/** A name that every file system takes and that leads nowhere else. Throws request.invalid. */
export function requirePlainName(name: string): void {
  if (name.length > MAX_NAME_CHARS) throw refusedName(name, `longer than ${MAX_NAME_CHARS} characters`);
  const plain = name !== '' && !/[/\\:*?"<>|\p{Cc}]/u.test(name) && !/^[.\s]|[.\s]$/.test(name);
  if (!plain || /^(con|prn|aux|nul|com\d|lpt\d)([.]|$)/i.test(name)) throw refusedName(name, 'not a plain file name');
}

export function refusedName(name: string, problem: string) {
  const shown = name.slice(0, 60);
  return serviceError('request.invalid', `"${shown}" is ${problem}. Rename the file, then drop it again.`, { name: shown });
}

/** Throws request.invalid where there is nothing. */
export function announcedSize(request: IncomingMessage, name: string): number {
  const sizeBytes = Number(request.headers['content-length']);
  if (Number.isSafeInteger(sizeBytes) && sizeBytes > 0) return sizeBytes;
  throw serviceError('request.invalid', `${name} is empty or its size was not announced.`, { name });
}

/** Throws data.disk-full. */
export async function checkSpace(folder: string, name: string, sizeBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes >= sizeBytes + SPARE_BYTES) return;
  throw serviceError(
    'data.disk-full',
    `${name} needs ${sizeBytes} bytes; the disk of ${folder} has ${freeBytes} free. Free some space, or use the file where it is: npm start -- --data on another disk.`,
    { name, sizeBytes, freeBytes },
  );
}

/** Writes the body to `part`, which must not exist. Rejects when other than `sizeBytes` came; `part` is then for the caller to delete. */
export async function receiveBody(
  request: IncomingMessage,
  { name, sizeBytes, part }: { readonly name: string; readonly sizeBytes: number; readonly part: string },
  look: Look,
): Promise<void> {
  await pipeline(request, new HeldAgainstSize(name, sizeBytes, look), createWriteStream(part, { flags: 'wx' }));
}

class HeldAgainstSize extends Transform {
  readonly #name: string;
  readonly #sizeBytes: number;
  readonly #look: Look;
  #seenBytes = 0;

  constructor(name: string, sizeBytes: number, look: Look) {
    super();
    this.#name = name;
    this.#sizeBytes = sizeBytes;
    this.#look = look;
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    try {
      this.#look(chunk, this.#seenBytes);
    } catch (error) {
      return done(error as Error);
    }
    this.#seenBytes += chunk.length;
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    if (this.#seenBytes === this.#sizeBytes) return done();
    const message = `${this.#name}: ${this.#sizeBytes} bytes were announced, ${this.#seenBytes} came.`;
    done(serviceError('request.invalid', message, { name: this.#name }));
  }
}

export function asUploadError(error: unknown, name: string): unknown {
  if (error instanceof ConclaveError || !(error instanceof Error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC') return serviceError('data.disk-full', `The disk is full; ${name} could not be taken.`, { name }, error);
  if (code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE')
    return serviceError('request.invalid', `The upload of ${name} was broken off.`, { name }, error);
  return serviceError('data.unwritable', `${name} could not be written: ${error.message}.`, { name }, error);
}
