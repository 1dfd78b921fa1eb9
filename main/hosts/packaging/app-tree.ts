/** The unpacked app as entries of an archive, in alphabetical order, so that the same app gives the same archive. */
import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { TarEntry } from './tar.ts';

/** Chromium's sandbox where unprivileged namespaces are switched off: it only works as root's, with the set-user-ID bit. */
export const SANDBOX = 'chrome-sandbox';

/**
 * Everything below `folder` as entries below `prefix`, which is listed too. Files get 755 where their owner may execute them, else 644;
 * `sandboxMode` is for SANDBOX: an archive that users unpack themselves must not carry set-user-ID files.
 */
export function appTree(folder: string, prefix: string, sandboxMode: number): TarEntry[] {
  const entries: TarEntry[] = [{ kind: 'folder', path: prefix }];
  for (const name of readdirSync(folder).sort()) {
    const [place, inside] = [path.join(folder, name), `${prefix}/${name}`];
    const found = lstatSync(place);
    if (found.isDirectory()) entries.push(...appTree(place, inside, sandboxMode));
    else if (found.isSymbolicLink()) entries.push({ kind: 'link', path: inside, target: readlinkSync(place) });
    else {
      const mode = name === SANDBOX ? sandboxMode : found.mode & 0o100 ? 0o755 : 0o644;
      entries.push({ kind: 'file', path: inside, mode, source: place, sizeBytes: found.size });
    }
  }
  return entries;
}

/** The folders that lead to `entries` and are not among them, parents first. */
export function parentFolders(entries: readonly TarEntry[]): TarEntry[] {
  const listed = new Set(entries.filter(({ kind }) => kind === 'folder').map((entry) => entry.path));
  const missing = new Set<string>();
  for (const entry of entries)
    for (let parent = path.posix.dirname(entry.path); parent !== '.'; parent = path.posix.dirname(parent))
      if (!listed.has(parent)) missing.add(parent);
  return [...missing].sort().map((folder) => ({ kind: 'folder', path: folder }));
}
