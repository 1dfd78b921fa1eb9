/**
 * Writes tar archives (POSIX ustar) without a tar program: the same bytes for the same entries on every system. Owner root, one time for
 * all entries, because a package is not about who built it when.
 */
import { createReadStream } from 'node:fs';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { invariant } from '../../../gpu/invariant.ts';

interface EntryBase {
  /** With `/`, without a `/` at the start or the end. */
  readonly path: string;
}

export type TarEntry =
  | (EntryBase & { readonly kind: 'folder' })
  | (EntryBase & { readonly kind: 'link'; readonly target: string })
  | (EntryBase & { readonly kind: 'file'; readonly mode: number; readonly content: Buffer })
  | (EntryBase & { readonly kind: 'file'; readonly mode: number; readonly source: string; readonly sizeBytes: number });

const BLOCK_BYTES = 512;
const LARGEST_FILE_BYTES = 8 ** 11 - 1; // eleven octal digits
const TYPES = { file: '0', link: '2', folder: '5' } as const;

/** Writes `entries` in their order, then the end of the archive. Does not end `out`. Rejects when a file is shorter or longer than said. */
export async function writeTar(out: Writable, entries: readonly TarEntry[], modifiedSeconds: number): Promise<void> {
  for (const entry of entries) {
    await write(out, header(entry, modifiedSeconds));
    const writtenBytes = entry.kind === 'file' ? await writeContent(out, entry) : 0;
    await write(out, Buffer.alloc((BLOCK_BYTES - (writtenBytes % BLOCK_BYTES)) % BLOCK_BYTES));
  }
  await write(out, Buffer.alloc(2 * BLOCK_BYTES));
}

export function sizeOf(entry: TarEntry): number {
  if (entry.kind !== 'file') return 0;
  return 'content' in entry ? entry.content.length : entry.sizeBytes;
}

async function writeContent(out: Writable, entry: TarEntry & { kind: 'file' }): Promise<number> {
  if ('content' in entry) {
    await write(out, entry.content);
    return entry.content.length;
  }
  let readBytes = 0;
  for await (const chunk of createReadStream(entry.source, { highWaterMark: 1 << 20 })) {
    readBytes += (chunk as Buffer).length;
    await write(out, chunk as Buffer);
  }
  if (readBytes !== entry.sizeBytes)
    throw new Error(`${entry.source} had ${entry.sizeBytes} bytes and then ${readBytes}: it changed while it was packed.`);
  return readBytes;
}

async function write(out: Writable, bytes: Buffer): Promise<void> {
  if (bytes.length > 0 && !out.write(bytes)) await once(out, 'drain');
}

function header(entry: TarEntry, modifiedSeconds: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const { name, prefix } = split(entry.kind === 'folder' ? `${entry.path}/` : entry.path);
  const mode = entry.kind === 'file' ? entry.mode : entry.kind === 'folder' ? 0o755 : 0o777;
  const size = sizeOf(entry);
  invariant(size <= LARGEST_FILE_BYTES, `${entry.path} is too large for a tar archive`);
  const octal = (value: number, at: number, digits: number) => block.write(`${value.toString(8).padStart(digits, '0')}\0`, at);
  block.write(name, 0);
  octal(mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(modifiedSeconds, 136, 11);
  block.write('        ', 148);
  block.write(TYPES[entry.kind], 156);
  if (entry.kind === 'link') {
    invariant(Buffer.byteLength(entry.target) <= 100, `the link ${entry.path} has a target that is too long`);
    block.write(entry.target, 157);
  }
  block.write('ustar\u000000root', 257);
  block.write('root', 297);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** Names of more than 100 bytes are cut at a `/` into a prefix of at most 155 and the rest. */
function split(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  for (let cut = path.indexOf('/'); cut >= 0 && cut < path.length - 1; cut = path.indexOf('/', cut + 1)) {
    const [prefix, name] = [path.slice(0, cut), path.slice(cut + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return { name, prefix };
  }
  throw new Error(`The path ${path} is too long for a tar archive.`);
}
