/**
 * Takes a dropped document into the app's own documents folder, where the index reads it: streamed, its size held against its kind's
 * limit, whole or not at all. Its place is named by its contents, so the same file dropped again is the same file.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { kindOfFile, READABLE } from '../../contract/document-kinds.ts';
import type { Collection, DocumentEntry } from '../../contract/documents.ts';
import { serviceError } from '../../contract/errors.ts';
import { checkSize } from '../../documents/find-files.ts';
import type { Services } from '../../services.ts';
import { announcedSize, asUploadError, checkSpace, PART, receiveBody, requirePlainName } from './receive.ts';

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
  const contents = createHash('sha256');
  try {
    await receiveBody(request, { name, sizeBytes, part }, (chunk) => contents.update(chunk));
    const place = path.join(folder, contents.digest('hex').slice(0, PLACE_DIGITS));
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
