/** Paths that a person chose → files that can be read: folders are walked (breadth first, without links), the rest is refused with a reason. */
import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { isSkippedFile, isSkippedFolder, kindOfFile, READABLE } from '../contract/document-kinds.ts';
import type { DocumentKind } from '../contract/documents.ts';
import { serviceError, toWireError, type WireError } from '../contract/errors.ts';
import { LIMITS } from './limits.ts';

export interface FoundFile {
  /** Absolute, links resolved. */
  readonly path: string;
  readonly kind: DocumentKind;
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

export interface FoundFiles {
  readonly files: readonly FoundFile[];
  readonly refused: readonly { readonly path: string; readonly error: WireError }[];
}

/** Never rejects for the sake of one path. */
export async function findFiles(paths: readonly string[]): Promise<FoundFiles> {
  const files = new Map<string, FoundFile>();
  const refused: { path: string; error: WireError }[] = [];
  for (const given of paths) {
    try {
      const place = await realpath(path.resolve(given));
      const found = await stat(place);
      if (!found.isDirectory()) files.set(place, checkedFile(place, found));
      else for await (const file of walk(place, refused)) files.set(file.path, file);
      if (files.size > LIMITS.filesAtOnce) throw tooMany(given);
    } catch (error) {
      refused.push({ path: given, error: toWireError(asDocumentError(error, given)) });
    }
  }
  return { files: [...files.values()].slice(0, LIMITS.filesAtOnce), refused };
}

/** Throws `document.kind` or `document.too-large`. */
function checkedFile(file: string, found: Stats): FoundFile {
  const name = path.basename(file);
  const kind = kindOfFile(name);
  if (!found.isFile() || kind === null)
    throw serviceError('document.kind', `${name} cannot be read: documents are ${READABLE}.`, { path: file });
  checkSize(name, kind, found.size);
  return { path: file, kind, sizeBytes: found.size, modifiedAtMs: found.mtimeMs };
}

/** Throws `document.too-large`. */
export function checkSize(name: string, kind: DocumentKind, sizeBytes: number): void {
  const allowedBytes = LIMITS.fileBytes[kind];
  if (sizeBytes <= allowedBytes) return;
  const text = `${name} has ${megabytes(sizeBytes)} MB; at most ${megabytes(allowedBytes)} MB are read of this kind of file. Split it, or leave it out.`;
  throw serviceError('document.too-large', text, { limit: 'fileBytes', found: sizeBytes, allowed: allowedBytes });
}

const megabytes = (bytes: number) => Math.ceil(bytes / 1e6);

/** Files that are no documents are passed over in silence; what a person would miss is in `refused`. */
async function* walk(root: string, refused: { path: string; error: WireError }[]): AsyncGenerator<FoundFile> {
  const folders = [{ place: root, depth: 0 }];
  let nFiles = 0;
  for (let folder = folders.shift(); folder; folder = folders.shift()) {
    let entries: Dirent[];
    try {
      entries = await readdir(folder.place, { withFileTypes: true });
    } catch (error) {
      refused.push({ path: folder.place, error: toWireError(asDocumentError(error, folder.place)) });
      continue;
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const place = path.join(folder.place, entry.name);
      if (entry.isDirectory() && !isSkippedFolder(entry.name) && folder.depth < LIMITS.folderDepth)
        folders.push({ place, depth: folder.depth + 1 });
      if (!entry.isFile() || isSkippedFile(entry.name) || kindOfFile(entry.name) === null) continue;
      if (++nFiles > LIMITS.filesAtOnce) throw tooMany(root);
      try {
        yield checkedFile(place, await stat(place));
      } catch (error) {
        refused.push({ path: place, error: toWireError(asDocumentError(error, place)) });
      }
    }
  }
}

function tooMany(place: string) {
  const text = `${place} holds more than ${LIMITS.filesAtOnce} documents; the first ${LIMITS.filesAtOnce} were taken. Add its folders one by one.`;
  return serviceError('document.too-large', text, { limit: 'filesAtOnce', allowed: LIMITS.filesAtOnce });
}

/** A file system's refusal as ours. */
export function asDocumentError(error: unknown, file: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (!(error instanceof Error) || typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) return error;
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return serviceError('document.missing', `${file} is not there any more.`, { path: file }, error);
  const reason = code === 'EACCES' || code === 'EPERM' ? 'you may not read it' : error.message;
  return serviceError('document.unreadable', `${file} cannot be opened: ${reason}.`, { path: file, reason: code }, error);
}
