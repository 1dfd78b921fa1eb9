/** Limits on documents, which are hostile input: each is checked before the memory or the time is spent. */
import type { DocumentKind } from '../contract/documents.ts';
import { serviceError } from '../contract/errors.ts';

const MB = 1e6;

export const LIMITS = {
  /** The file on disk. Text is held in memory as UTF-16 and cut into chunks: about ten times its size at the peak. */
  fileBytes: {
    pdf: 300 * MB,
    docx: 100 * MB,
    html: 20 * MB,
    markdown: 20 * MB,
    text: 50 * MB,
    csv: 50 * MB,
    code: 5 * MB,
  } satisfies Record<DocumentKind, number>,
  /** UTF-16 units of extracted text: about 4,000 pages. */
  textChars: 20 * MB,
  pages: 5_000,
  /** Of one part of an archive (DOCX), and how often its size on disk: a bomb of zeros reaches 1000. */
  partBytes: 200 * MB,
  partRatio: 300,
  archiveEntries: 10_000,
  /** Open elements of HTML or XML at once. */
  nesting: 1_000,
  filesAtOnce: 20_000,
  folderDepth: 32,
  /** Without a sign of progress in one document; then the worker is ended. */
  stallMs: 120_000,
  /** For one document, however much progress it makes. */
  readMs: 1_800_000,
  /** Heap of the worker. */
  workerHeapMb: 2_048,
} as const;

/** Of HTML and XML, whose parsers count the elements that are open. Throws `document.damaged`. */
export function checkNesting(depth: number): void {
  if (depth <= LIMITS.nesting) return;
  throw serviceError('document.damaged', `Its elements are nested more than ${LIMITS.nesting} deep.`, { limit: 'nesting' });
}
