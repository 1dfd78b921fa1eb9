/** One document from file to index: read, parse, chunk, write. What it writes is invisible until the last step. */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { serviceError } from '../contract/errors.ts';
import { beginVersion, insertChunks, publishVersion } from '../database/document-versions.ts';
import type { WriteDb } from '../database/handles.ts';
import { chunksOf, CHUNK_SIZES, type ChunkSizes } from './chunks.ts';
import { asDocumentError, checkSize } from './find-files.ts';
import { parseDocument } from './read-document.ts';
import { indexTerms } from './words.ts';
import type { ReadJob } from './worker-protocol.ts';

/** A transaction of so many chunks keeps others from the database for some milliseconds. */
const CHUNKS_PER_TRANSACTION = 64;

/** `onProgress`: pages while a PDF is parsed, chunks while they are written. Throws `document.*` or `data.*`. */
export async function indexDocument(
  db: WriteDb,
  job: ReadJob,
  onProgress: (done: number, total: number) => void,
  sizes: ChunkSizes = CHUNK_SIZES,
): Promise<void> {
  const bytes = await readBytes(job);
  const parsed = await parseDocument(job.kind, bytes, onProgress);
  const title = parsed.title ?? path.basename(job.path);
  const chunks = chunksOf(parsed, sizes);
  const versionSeq = beginVersion(db, job.id, parsed);
  const titleTerms = indexTerms(`${title} ${path.basename(job.path)}`);
  for (let first = 0; first < chunks.length; first += CHUNKS_PER_TRANSACTION) {
    const records = chunks.slice(first, first + CHUNKS_PER_TRANSACTION).map((chunk) => {
      const text = parsed.text.slice(chunk.start, chunk.end);
      return { ...chunk, text, terms: { title: titleTerms, heading: indexTerms(chunk.heading ?? ''), body: indexTerms(text) } };
    });
    insertChunks(db, versionSeq, first, records);
    onProgress(first + records.length, chunks.length);
  }
  publishVersion(db, job.id, versionSeq, title);
}

async function readBytes({ path: file, kind }: ReadJob): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    checkSize(path.basename(file), kind, size); // it may have grown since it was added
    if (size === 0) throw serviceError('document.empty', 'The file is empty.');
    const bytes = await readFile(file);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    throw asDocumentError(error, file);
  }
}
