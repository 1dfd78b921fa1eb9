/**
 * Takes a dropped GGUF file into the app's own models folder: streamed, its size held against what was announced, under its name or not
 * at all. The name is reserved first, the bytes go to a `.part` file beside it, and only a whole file gets the name.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { engineError } from '../../../gpu/errors.ts';
import { ConclaveError, serviceError } from '../../contract/errors.ts';

export const PART = '.part';
/** Longest name that every file system takes, with room for our suffix. */
const MAX_NAME_CHARS = 150;
/** Kept free on the disk: the history must stay writable. */
const SPARE_BYTES = 64 * 2 ** 20;

/** Resolves with the path of the copy. Rejects with request.invalid, gguf.not-gguf or data.*; then nothing is left behind. */
export async function receiveUpload(request: IncomingMessage, givenName: string, folder: string): Promise<string> {
  const name = checkedName(givenName);
  const sizeBytes = announcedSize(request, name);
  await mkdir(folder, { recursive: true });
  await checkSpace(folder, name, sizeBytes);
  const target = path.join(folder, name);
  await reserve(target, name);
  const part = `${target}.${randomUUID()}${PART}`;
  try {
    await pipeline(request, new SizeAndMagic(name, sizeBytes), createWriteStream(part, { flags: 'wx' }));
    await rename(part, target);
    return target;
  } catch (error) {
    await rm(part, { force: true });
    await rm(target, { force: true });
    throw asUploadError(error, name);
  }
}

/** What a crash in the middle of an upload left. Only at the start, when nobody uploads. */
export async function removeLeftovers(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [] as string[]);
  for (const name of names) {
    const filePath = path.join(folder, name);
    const found = await lstat(filePath); // a link is the user's, wherever it leads
    if (found.isFile() && (name.endsWith(PART) || found.size === 0)) await rm(filePath, { force: true });
  }
}

function checkedName(name: string): string {
  requirePlainName(name);
  if (!/[.]gguf$/i.test(name)) throw refusedName(name, 'not the name of a .gguf file');
  return name;
}

/** A name that every file system takes and that leads nowhere else. Throws request.invalid. */
export function requirePlainName(name: string): void {
  if (name.length > MAX_NAME_CHARS) throw refusedName(name, `longer than ${MAX_NAME_CHARS} characters`);
  const plain = name !== '' && !/[/\\:*?"<>|\p{Cc}]/u.test(name) && !/^[.\s]|[.\s]$/.test(name);
  if (!plain || /^(con|prn|aux|nul|com\d|lpt\d)([.]|$)/i.test(name)) throw refusedName(name, 'not a plain file name');
}

function refusedName(name: string, problem: string) {
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

async function reserve(target: string, name: string): Promise<void> {
  try {
    await (await open(target, 'wx')).close();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw asUploadError(error, name);
    throw serviceError(
      'request.invalid',
      `A model file ${name} is there already. Remove that model first, or rename the file.`,
      { name },
      error,
    );
  }
}

class SizeAndMagic extends Transform {
  readonly #name: string;
  readonly #sizeBytes: number;
  #seenBytes = 0;

  constructor(name: string, sizeBytes: number) {
    super();
    this.#name = name;
    this.#sizeBytes = sizeBytes;
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    const magic = Buffer.from('GGUF');
    for (let i = this.#seenBytes; i < magic.length && i - this.#seenBytes < chunk.length; i++)
      if (chunk[i - this.#seenBytes] !== magic[i])
        return done(engineError('gguf.not-gguf', `${this.#name} is not a GGUF file.`, { name: this.#name }));
    this.#seenBytes += chunk.length;
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    if (this.#seenBytes === this.#sizeBytes) return done();
    done(
      serviceError('request.invalid', `${this.#name}: ${this.#sizeBytes} bytes were announced, ${this.#seenBytes} came.`, {
        name: this.#name,
      }),
    );
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
