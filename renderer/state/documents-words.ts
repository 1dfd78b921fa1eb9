/** Documents in words: kinds, states and figures as they are shown. */
import type { Collection, DocumentEntry, DocumentKind, Passage } from '../../main/contract/documents.ts';
import type { ReadingProgress } from './documents.ts';
import { formatBytes, formatCount, percent, plural } from './format.ts';

export const KIND_NAMES: Record<DocumentKind, string> = {
  pdf: 'PDF',
  docx: 'Word',
  html: 'Web page',
  markdown: 'Markdown',
  text: 'Text',
  csv: 'Table',
  code: 'Source code',
};

export const KIND_BADGES: Record<DocumentKind, string> = {
  pdf: 'PDF',
  docx: 'DOC',
  html: 'HTM',
  markdown: 'MD',
  text: 'TXT',
  csv: 'CSV',
  code: '{ }',
};

export const KINDS_IN_WORDS = 'PDF, Word, web pages, Markdown, text, CSV and source code';

/** The line under a document's title: its file's name (or its kind, where the title is the name), size and extent. */
export function documentFacts(entry: DocumentEntry, progress: ReadingProgress | undefined): string {
  const size = formatBytes(entry.sizeBytes);
  const name = entry.path.split(/[\\/]/).at(-1) ?? '';
  const what = name !== '' && name !== entry.title ? name : KIND_NAMES[entry.kind];
  switch (entry.status) {
    case 'queued':
      return `${what} · ${size} · Waiting`;
    case 'reading':
      return `${what} · ${readingWords(entry, progress)}`;
    case 'failed':
      return `${what} · ${size}`;
    default: {
      const extent = entry.pages === null ? null : plural(entry.pages, 'page');
      return [what, extent, size, plural(entry.chunks, 'passage')].filter((part) => part !== null).join(' · ');
    }
  }
}

function readingWords(entry: DocumentEntry, progress: ReadingProgress | undefined): string {
  if (!progress || progress.total === 0) return 'Reading…';
  if (entry.kind === 'pdf') return `Reading page ${formatCount(progress.done)} of ${formatCount(progress.total)}`;
  return `Reading, ${percent(progress.done, progress.total)}\u00a0%`;
}

/** A collection's card and heading. */
export function collectionFacts({ documents, pending, failed }: Collection): string {
  if (documents === 0) return 'Empty';
  const parts = [plural(documents, 'document')];
  if (pending > 0) parts.push(`${formatCount(pending)} still to read`);
  if (failed > 0) parts.push(`${formatCount(failed)} could not be read`);
  return parts.join(' · ');
}

/** `Lease agreement.pdf, p. 3` */
export function place({ documentTitle, page }: Pick<Passage, 'documentTitle' | 'page'>): string {
  return page === null ? documentTitle : `${documentTitle}, p.\u00a0${page}`;
}

/** A name for the collection that is made of dropped things. */
export function nameOfFiles(names: readonly string[]): string {
  const [first = 'Documents'] = names;
  const plain = first.replace(/\.[^.]{1,8}$/, '').slice(0, 80);
  return names.length > 1 ? `${plain} and ${formatCount(names.length - 1)} more` : plain;
}
