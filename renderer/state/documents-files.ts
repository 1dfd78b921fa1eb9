/**
 * Files out of what was dropped or chosen. A host that gives paths takes a folder as it is; any other is given the documents in it,
 * without what is hidden or made by tools. A file that was named itself is always given: the host says why it takes it or not.
 */
import { isSkippedFile, isSkippedFolder, kindOfFile } from '../../main/contract/document-kinds.ts';

/** The few things this needs of the browser's `FileSystemEntry`, so that tests can act them out. */
export interface Entry {
  readonly isDirectory: boolean;
  readonly name: string;
}

/** Deeper than people nest folders; a link in a circle ends here. */
const MOST_DEEP = 32;

/** `entries[i]` belongs to `files[i]`; null where the browser has none. */
export async function filesOf(
  files: readonly File[],
  entries: readonly (Entry | null)[],
  dropGivesPath: boolean,
): Promise<readonly File[]> {
  if (dropGivesPath) return files;
  const found: File[] = [];
  for (const [at, file] of files.entries()) {
    const entry = entries[at];
    if (entry?.isDirectory) await walk(entry as FileSystemDirectoryEntry, 0, found);
    else found.push(file);
  }
  return found;
}

/** What `<input webkitdirectory>` gave, less what a walk would have left out. */
export function withoutSkipped(files: readonly File[]): readonly File[] {
  return files.filter((file) => {
    if (file.webkitRelativePath === '') return true;
    const steps = file.webkitRelativePath.split('/');
    return !steps.slice(1).some((step, at, all) => isSkipped(step, at < all.length - 1));
  });
}

async function walk(folder: FileSystemDirectoryEntry, depth: number, found: File[]): Promise<void> {
  if (depth > MOST_DEEP) return;
  const reader = folder.createReader();
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return;
    for (const entry of batch) {
      if (isSkipped(entry.name, entry.isDirectory)) continue;
      if (entry.isDirectory) await walk(entry as FileSystemDirectoryEntry, depth + 1, found);
      else found.push(await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)));
    }
  }
}

function isSkipped(name: string, isFolder: boolean): boolean {
  return isFolder ? isSkippedFolder(name) : isSkippedFile(name) || kindOfFile(name) === null;
}
