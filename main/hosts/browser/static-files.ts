/** The built chat page's files. The list is made once at the start, so no request can name anything else on the disk. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { CONTENT_TYPES } from '../page-headers.ts';

export interface StaticFile {
  readonly type: string;
  read(): Uint8Array;
}

/** URL path → file; `/` is index.html. Throws when the page has not been built. */
export function staticFiles(folder: string): ReadonlyMap<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = CONTENT_TYPES[path.extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const filePath = path.join(entry.parentPath, entry.name);
    const url = `/${path.relative(folder, filePath).split(path.sep).join('/')}`;
    files.set(url, { type, read: () => readFileSync(filePath) });
  }
  const index = files.get('/index.html');
  if (!index) throw new Error(`The chat page is not in ${folder}. Build it first: npm run build.`);
  return files.set('/', index);
}
