/** Which shared libraries an ELF file wants: the DT_NEEDED entries of its dynamic section. 64-bit little-endian only, as Electron is. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';

const LOAD = 1;
const DYNAMIC = 2;
const NEEDED = 1;
const STRING_TABLE = 5;
const MOST_HEADERS = 64;
const MOST_DYNAMIC_BYTES = 64 * 1024;
const MOST_STRING_BYTES = 64 * 1024 * 1024;

/** Sonames in the file's order; null when the file is not such an ELF file or links to nothing. */
export function neededLibraries(file: string): string[] | null {
  if (statSync(file).size < 64) return null;
  const descriptor = openSync(file, 'r');
  try {
    const read = (offset: number, length: number) => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
    };
    return parse(read);
  } finally {
    closeSync(descriptor);
  }
}

function parse(read: (offset: number, length: number) => Buffer): string[] | null {
  const head = read(0, 64);
  const is64BitLittleEndian = head.readUInt32BE(0) === 0x7f454c46 && head[4] === 2 && head[5] === 1;
  if (!is64BitLittleEndian) return null;
  const segments = segmentsOf(read, Number(head.readBigUInt64LE(32)), head.readUInt16LE(56));
  const dynamic = segments.find(({ type }) => type === DYNAMIC);
  if (!dynamic) return null;
  const offsets: number[] = [];
  let stringsAt = -1;
  const entries = read(dynamic.offset, Math.min(dynamic.sizeBytes, MOST_DYNAMIC_BYTES));
  for (let at = 0; at + 16 <= entries.length; at += 16) {
    const [tag, value] = [Number(entries.readBigInt64LE(at)), Number(entries.readBigUInt64LE(at + 8))];
    if (tag === NEEDED) offsets.push(value);
    if (tag === STRING_TABLE) stringsAt = value;
  }
  // The table's place is an address in memory; the segment that is loaded there says where it is in the file.
  const home = segments.find(({ type, address, sizeBytes }) => {
    return type === LOAD && stringsAt >= address && stringsAt < address + sizeBytes;
  });
  if (!home) return null;
  const tableAt = stringsAt - home.address + home.offset;
  return offsets.map((offset) => {
    if (offset > MOST_STRING_BYTES) throw new Error(`A library name lies ${offset} bytes into the string table.`);
    const text = read(tableAt + offset, 256).toString('latin1');
    return text.slice(0, text.indexOf('\0'));
  });
}

function segmentsOf(read: (offset: number, length: number) => Buffer, tableAt: number, count: number) {
  if (count > MOST_HEADERS) throw new Error(`An ELF file with ${count} program headers.`);
  const table = read(tableAt, count * 56);
  return Array.from({ length: count }, (_, i) => ({
    type: table.readUInt32LE(i * 56),
    offset: Number(table.readBigUInt64LE(i * 56 + 8)),
    address: Number(table.readBigUInt64LE(i * 56 + 16)),
    sizeBytes: Number(table.readBigUInt64LE(i * 56 + 32)),
  }));
}
