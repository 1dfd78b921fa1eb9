/** Bytes of one document → its text with pages and headings, whatever its kind. */
import type { DocumentKind } from '../contract/documents.ts';
import { serviceError } from '../contract/errors.ts';
import type { ParsedDocument } from './parsed-document.ts';
import { parseCsv } from './parsers/csv.ts';
import { parseDocx } from './parsers/docx.ts';
import { parseHtml } from './parsers/html.ts';
import { parsePdf } from './parsers/pdf.ts';
import { parseCode, parseMarkdown, parseText } from './parsers/plain.ts';

type Parser = (bytes: Uint8Array, onProgress: (done: number, total: number) => void) => ParsedDocument | Promise<ParsedDocument>;

const PARSERS: Readonly<Record<DocumentKind, Parser>> = {
  pdf: parsePdf,
  docx: parseDocx,
  html: parseHtml,
  markdown: parseMarkdown,
  text: parseText,
  csv: parseCsv,
  code: parseCode,
};

/** Throws `document.*`. `onProgress`: pages of a PDF. */
export async function parseDocument(
  kind: DocumentKind,
  bytes: Uint8Array,
  onProgress: (done: number, total: number) => void = () => undefined,
): Promise<ParsedDocument> {
  const parsed = await PARSERS[kind](bytes, onProgress);
  if (parsed.text.trim() === '') throw serviceError('document.empty', 'There is no text in it.');
  return parsed;
}
