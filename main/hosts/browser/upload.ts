/**
 * Takes a dropped GGUF file into the app's own models folder: streamed, its size held against what was announced, under its name or not
 * at all. The name is reserved first, the bytes go to a `.part` file beside it, and only a whole file gets the name.
 */
import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { engineError } from '../../../gpu/errors.ts';
import { serviceError } from '../../contract/errors.ts';
import { mayBeGguf } from '../../library/gguf-magic.ts';
import { announcedSize, asUploadError, checkSpace, PART, receiveBody, refusedName, requirePlainName } from './receive.ts';

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
    await receiveBody(request, { name, sizeBytes, part }, (chunk, atByte) => {
      if (!mayBeGguf(chunk, atByte)) throw engineError('gguf.not-gguf', `${name} is not a GGUF file.`, { name });
    });
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
