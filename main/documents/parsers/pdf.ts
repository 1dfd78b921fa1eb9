/** PDF → text with pages, by PDF.js (unpdf's build of it for Node: no canvas, no worker of its own). Scripts in the file are never run. */
import { getDocumentProxy } from 'unpdf';
import { serviceError } from '../../contract/errors.ts';
import { LIMITS } from '../limits.ts';
import { cleanText, TextBuilder, type ParsedDocument } from '../parsed-document.ts';
import { blocksOf, joined, linesOf, usualSize, withoutRunningLines, type Block, type Line, type TextItem } from './pdf-lines.ts';

/** Larger than the usual size by this: a heading. */
const HEADING_RATIO = 1.15;
const MAX_HEADING_CHARS = 150;

export async function parsePdf(bytes: Uint8Array, onProgress: (done: number, total: number) => void): Promise<ParsedDocument> {
  const pdf = await open(bytes);
  try {
    if (pdf.numPages > LIMITS.pages)
      throw serviceError('document.too-large', `It has ${pdf.numPages} pages; at most ${LIMITS.pages} are read. Split it.`, {
        limit: 'pages',
        found: pdf.numPages,
        allowed: LIMITS.pages,
      });
    const pages: Line[][] = [];
    let nChars = 0;
    for (let number = 1; number <= pdf.numPages; number++) {
      onProgress(number - 1, pdf.numPages);
      const page = await pdf.getPage(number);
      const { items } = await page.getTextContent();
      const lines = linesOf(items.filter((item): item is typeof item & TextItem => 'str' in item));
      page.cleanup();
      nChars += lines.reduce((sum, line) => sum + line.text.length, 0);
      pages.push(lines);
      if (nChars > LIMITS.textChars) break; // the builder says so
    }
    if (nChars === 0)
      throw serviceError(
        'document.empty',
        'There is no text in it: its pages are pictures. Run it through text recognition (OCR) first, then add the result.',
        { pages: pdf.numPages },
      );
    return assemble(pages, await titleOf(pdf));
  } finally {
    await pdf.loadingTask.destroy();
  }
}

type Pdf = Awaited<ReturnType<typeof getDocumentProxy>>;

async function open(bytes: Uint8Array): Promise<Pdf> {
  try {
    return await getDocumentProxy(bytes, { verbosity: 0, disableFontFace: true, useSystemFonts: false });
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'PasswordException')
      throw serviceError(
        'document.encrypted',
        'It is protected by a password. Save it without one, then add it again.',
        {},
        error,
      );
    throw serviceError('document.damaged', `It cannot be read as a PDF (${message}).`, { reason: name }, error);
  }
}

async function titleOf(pdf: Pdf): Promise<string | null> {
  const { info } = await pdf.getMetadata().catch(() => ({ info: {} }));
  const title = (info as { Title?: unknown }).Title;
  // Word processors and browsers put file names and addresses there.
  return typeof title === 'string' &&
    !/^(untitled|microsoft word -|about:blank|https?:|file:)|[.](docx?|html?|tex|indd)$/i.test(title.trim())
    ? title
    : null;
}

function assemble(pages: readonly (readonly Line[])[], title: string | null): ParsedDocument {
  const body = usualSize(pages);
  const builder = new TextBuilder();
  const levels = headingSizes(pages.flat(), body);
  let before = '';
  for (const lines of withoutRunningLines(pages)) {
    const blocks = blocksOf(lines).map((block) => ({ ...block, text: cleanText(block.text) }));
    const [first] = blocks;
    const goesOn = first !== undefined && before !== '' && levelOf(first, levels) === 0 && isBroken(before, first.text);
    if (before !== '') builder.append(goesOn ? ' ' : '\n\n');
    builder.page();
    for (const [i, block] of blocks.entries()) {
      if (i > 0) builder.append('\n\n');
      const level = levelOf(block, levels);
      if (level > 0) builder.heading(block.text, level);
      else builder.append(block.text);
    }
    before = blocks.at(-1)?.text ?? before;
  }
  return builder.finish(title, 'prose');
}

/** A sentence that runs over the end of a page. */
function isBroken(before: string, after: string): boolean {
  return /[\p{L}\p{N},;]$/u.test(before) && /^\p{Ll}/u.test(after) && joined(before, after).length > before.length;
}

/** Sizes of headings, largest first: their place is the level. */
function headingSizes(lines: readonly Line[], body: number): number[] {
  const sizes = lines.filter(({ size }) => size >= HEADING_RATIO * body).map(({ size }) => Math.round(size));
  return [...new Set(sizes)].sort((a, b) => b - a);
}

function levelOf({ text, size }: Block, sizes: readonly number[]): number {
  const place = sizes.indexOf(Math.round(size));
  return place < 0 || text.length > MAX_HEADING_CHARS ? 0 : Math.min(6, place + 1);
}
