/**
 * Reads the header of one GGUF file: magic, version, metadata, tensor list. The parser is synchronous over a window of the
 * file's head; when the header goes on behind it, the window grows fourfold and the parse starts again.
 */
import { engineError } from '../errors.ts';
import { Cursor, WindowTooSmall } from './cursor.ts';
import { FIRST_WINDOW_BYTES, LIMITS } from './limits.ts';
import { readTensors } from './tensors.ts';
import type { ByteSource, GgufTensor } from './types.ts';
import { readMetadata, type Metadata } from './values.ts';

export interface GgufPart {
  readonly version: 2 | 3;
  readonly metadata: Metadata;
  readonly tensors: readonly GgufTensor[];
}

const MAGIC = [0x47, 0x47, 0x55, 0x46];
const DEFAULT_ALIGNMENT_BYTES = 32;
/** The shortest encodings: a key of one byte with a u8; a tensor of one dimension with a name of one byte. */
const LEAST_PAIR_BYTES = 8 + 1 + 4 + 1;
const LEAST_TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8;

/** `part` is written into the tensors. Rejects with gguf.* or, when the source fails, file.*. */
export async function readPart(source: ByteSource, part: number, signal?: AbortSignal): Promise<GgufPart> {
  let window = await source.read(0, Math.min(source.sizeBytes, FIRST_WINDOW_BYTES), signal);
  for (;;) {
    try {
      return parse(new Cursor(source.name, source.sizeBytes, window), part);
    } catch (error) {
      if (!(error instanceof WindowTooSmall)) throw error;
      const grown = Math.min(source.sizeBytes, LIMITS.headerBytes, Math.max(error.neededBytes, window.length * 4));
      const next = new Uint8Array(grown);
      next.set(window);
      await source.readInto(window.length, next.subarray(window.length), signal);
      window = next;
    }
  }
}

function parse(cursor: Cursor, part: number): GgufPart {
  checkMagic(cursor);
  const version = readVersion(cursor);
  const tensorCount = readCount(cursor, 'tensor count', LIMITS.tensorCount, LEAST_TENSOR_BYTES);
  const pairCount = readCount(cursor, 'metadata count', LIMITS.metadataCount, LEAST_PAIR_BYTES);
  const metadata = readMetadata(cursor, pairCount);
  const tensors = readTensors(cursor, tensorCount, readAlignment(cursor, metadata), part);
  return { version, metadata, tensors };
}

function checkMagic(cursor: Cursor): void {
  const head = cursor.window.subarray(0, 4);
  if (head.length > 0 && head.every((byte, i) => byte === MAGIC[i])) {
    cursor.take(4, 'magic');
    return;
  }
  const found = Array.from(head, (byte) => byte.toString(16).padStart(2, '0')).join(' ') || 'nothing';
  throw engineError(
    'gguf.not-gguf',
    `${cursor.fileName} is not a GGUF model: it begins with ${found}, a model begins with 47 47 55 46 ("GGUF").`,
    { field: 'magic', offsetBytes: 0, found },
  );
}

function readVersion(cursor: Cursor): 2 | 3 {
  const version = cursor.u32('version');
  if (version === 2 || version === 3) return version;
  const bigEndian = (version & 0xffff) === 0 && version >>> 16 !== 0;
  const problem = bigEndian
    ? 'is written in big-endian order, which is not supported'
    : `has GGUF version ${version}; versions 2 and 3 are supported`;
  throw engineError('gguf.version', `${cursor.fileName} ${problem}. Convert it again with a current tool.`, {
    field: 'version',
    offsetBytes: 4,
    found: version,
    bigEndian,
  });
}

function readCount(cursor: Cursor, field: string, limit: number, leastBytes: number): number {
  const at = cursor.offsetBytes;
  const count = cursor.count(field, limit);
  if (count * leastBytes > cursor.remainingFileBytes) {
    throw cursor.fieldError(field, at, `is ${count}, more than the ${cursor.fileBytes} bytes of the file can hold`, count);
  }
  return count;
}

function readAlignment(cursor: Cursor, metadata: Metadata): number {
  const value = metadata.values.get('general.alignment') ?? DEFAULT_ALIGNMENT_BYTES;
  const powerOfTwo =
    typeof value === 'number' && value >= 8 && value <= LIMITS.alignmentBytes && Number.isInteger(Math.log2(value));
  if (!powerOfTwo) {
    const found = typeof value === 'object' ? 'an array' : String(value);
    throw cursor.fieldError(
      'general.alignment',
      cursor.offsetBytes,
      `is ${found}; a power of two from 8 to ${LIMITS.alignmentBytes} is allowed`,
      found,
    );
  }
  return value;
}
