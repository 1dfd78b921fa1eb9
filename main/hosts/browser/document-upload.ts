/**
 * Takes a dropped document into the app's own documents folder, where the index reads it: streamed, its size held against its kind's
 * limit, whole or not at all. Its place is named by its contents, so the same file dropped again is the same file.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { kindOfFile, READABLE } from '../../contract/document-kinds.ts';
import type { Collection, DocumentEntry } from '../../contract/documents.ts';
import { serviceError } from '../../contract/errors.ts';
import { checkSize } from '../../documents/find-files.ts';
import type { Services } from '../../services.ts';
import { announcedSize, asUploadError, checkSpace, PART, requirePlainName } from './upload.ts';

/** Of the hash's 64 digits: enough that two documents never meet, short enough for Windows' paths. */
const PLACE_DIGITS = 24;

/** Resolves with the path of the copy. Rejects with request.invalid, document.* or data.*; then nothing is left behind. */
export async function receiveDocument(request: IncomingMessage, name: string, folder: string): Promise<string> {
  requirePlainName(name);
  const kind = kindOfFile(name);
  if (kind === null)
    throw serviceError('document.kind', `${name} is no document that can be read. ${READABLE} can be.`, { name });
  const sizeBytes = announcedSize(request, name);
  checkSize(name, kind, sizeBytes);
  await mkdir(folder, { recursive: true });
  await checkSpace(folder, name, sizeBytes);
  const part = path.join(folder, `${randomUUID()}${PART}`);
  const contents = new SizeAndHash(name, sizeBytes);
  try {
    await pipeline(request, contents, createWriteStream(part, { flags: 'wx' }));
    const place = path.join(folder, contents.digest().slice(0, PLACE_DIGITS));
    await mkdir(place, { recursive: true });
    await rename(part, path.join(place, name));
    return path.join(place, name);
  } catch (error) {
    await rm(part, { force: true });
    throw asUploadError(error, name);
  }
}

/** Copies that no collection holds any more, and what a crash left of an upload. Only at the start, when nobody uploads. */
export async function removeUnusedDocuments(services: Services): Promise<void> {
  const folder = services.documentsFolder;
  const found = await readdir(folder).catch(() => [] as string[]);
  if (found.length === 0) return;
  const used = new Set<string>();
  for (const { id } of (await services.handle('documents.collections', {})) as readonly Collection[])
    for (const document of (await services.handle('documents.list', { collectionId: id })) as readonly DocumentEntry[])
      used.add(path.relative(folder, document.path).split(path.sep)[0]);
  for (const name of found) if (!used.has(name)) await rm(path.join(folder, name), { recursive: true, force: true });
}

class SizeAndHash extends Transform {
  readonly #name: string;
  readonly #sizeBytes: number;
  readonly #hash = createHash('sha256');
  #seenBytes = 0;

  constructor(name: string, sizeBytes: number) {
    super();
    this.#name = name;
    this.#sizeBytes = sizeBytes;
  }

  digest(): string {
    return this.#hash.digest('hex');
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#seenBytes += chunk.length;
    this.#hash.update(chunk);
    done(null, chunk);
  }

  override _flush(done: TransformCallback): void {
    if (this.#seenBytes === this.#sizeBytes) return done();
    const message = `${this.#name}: ${this.#sizeBytes} bytes were announced, ${this.#seenBytes} came.`;
    done(serviceError('request.invalid', message, { name: this.#name }));
  }
}
