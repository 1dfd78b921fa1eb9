/**
 * DOCX → text. The archive's parts are sized before they are unpacked (fflate never writes beyond the declared size), and read with a SAX
 * parser: paragraphs, headings by their style, list items, table rows, footnotes. What was deleted under revision control is left out.
 */
import { unzipSync } from 'fflate';
import { Parser } from 'htmlparser2';
import { isConclaveError } from '../../../gpu/errors.ts';
import { serviceError } from '../../contract/errors.ts';
import { checkNesting, LIMITS } from '../limits.ts';
import { cleanText, TextBuilder, type ParsedDocument } from '../parsed-document.ts';

const DOCUMENT = 'word/document.xml';
const STYLES = 'word/styles.xml';
const CORE = 'docProps/core.xml';
const NOTES = ['word/footnotes.xml', 'word/endnotes.xml'];
const WANTED = new Set([DOCUMENT, STYLES, CORE, ...NOTES]);

export function parseDocx(bytes: Uint8Array): ParsedDocument {
  const parts = unpack(bytes);
  const body = parts.get(DOCUMENT);
  if (body === undefined) throw serviceError('document.damaged', `It holds no ${DOCUMENT}: it is no Word document.`);
  const builder = new TextBuilder();
  const levels = headingLevels(parts.get(STYLES) ?? '');
  for (const part of [body, ...NOTES.map((name) => parts.get(name) ?? '')]) readXml(part, new WordWriter(builder, levels));
  return builder.finish(titleOf(parts.get(CORE) ?? ''), 'prose');
}

function unpack(bytes: Uint8Array): ReadonlyMap<string, string> {
  if (bytes[0] === 0xd0 && bytes[1] === 0xcf)
    throw serviceError(
      'document.encrypted',
      'It is protected by a password, or an old .doc file. Save it as .docx without a password.',
    );
  let nEntries = 0;
  try {
    const parts = unzipSync(bytes, {
      filter: ({ name, size, originalSize }) => {
        if (++nEntries > LIMITS.archiveEntries) throw tooLarge('archiveEntries', nEntries, LIMITS.archiveEntries);
        if (!WANTED.has(name)) return false;
        if (originalSize > LIMITS.partBytes) throw tooLarge('partBytes', originalSize, LIMITS.partBytes);
        if (originalSize > 1e6 && originalSize > size * LIMITS.partRatio)
          throw tooLarge('partRatio', Math.round(originalSize / size), LIMITS.partRatio);
        return true;
      },
    });
    return new Map(Object.entries(parts).map(([name, part]) => [name, new TextDecoder().decode(part)]));
  } catch (error) {
    if (isConclaveError(error)) throw error;
    throw serviceError('document.damaged', `Its archive cannot be unpacked (${(error as Error).message}).`, {}, error);
  }
}

function tooLarge(limit: string, found: number, allowed: number) {
  return serviceError('document.too-large', `It unpacks to more than is safe (${limit}: ${found}; allowed: ${allowed}).`, {
    limit,
    found,
    allowed,
  });
}

type Attributes = Readonly<Record<string, string>>;
interface XmlHandler {
  open(name: string, attributes: Attributes): void;
  close(name: string): void;
  text(text: string): void;
}

function readXml(xml: string, handler: XmlHandler): void {
  let depth = 0;
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        checkNesting(++depth);
        handler.open(name, attributes);
      },
      onclosetag(name) {
        depth--;
        handler.close(name);
      },
      ontext: (text) => handler.text(text),
    },
    { xmlMode: true, decodeEntities: true },
  );
  parser.write(xml);
  parser.end();
}

function titleOf(core: string): string {
  let title = '';
  let isTitle = false;
  readXml(core, {
    open: (name) => void (isTitle = name === 'dc:title' && title === ''),
    close: () => void (isTitle = false),
    text: (text) => void (isTitle && (title += text)),
  });
  return title;
}

/** Style id → heading level, from the style's own name or outline level. */
function headingLevels(styles: string): ReadonlyMap<string, number> {
  const levels = new Map<string, number>();
  let style = '';
  readXml(styles, {
    open(name, attributes) {
      if (name === 'w:style') style = attributes['w:styleId'] ?? '';
      const value = attributes['w:val'] ?? '';
      const named =
        name === 'w:name' ? (/^heading (\d)/i.exec(value)?.[1] ?? (/^title$/i.test(value) ? '1' : undefined)) : undefined;
      if (named !== undefined && style !== '') levels.set(style, Number(named));
      if (name === 'w:outlineLvl' && style !== '' && /^[0-5]$/.test(value)) levels.set(style, Number(value) + 1);
    },
    close: (name) => void (name === 'w:style' && (style = '')),
    text: () => undefined,
  });
  return levels;
}

class WordWriter implements XmlHandler {
  readonly #builder: TextBuilder;
  readonly #levels: ReadonlyMap<string, number>;
  #paragraph = '';
  #level = 0;
  #isItem = false;
  #isText = false;
  #deleted = 0;
  /** Cells of the rows that are open, innermost last. */
  readonly #rows: string[][] = [];

  constructor(builder: TextBuilder, levels: ReadonlyMap<string, number>) {
    this.#builder = builder;
    this.#levels = levels;
  }

  open(name: string, attributes: Attributes): void {
    if (name === 'w:p') [this.#paragraph, this.#level, this.#isItem] = ['', 0, false];
    else if (name === 'w:t') this.#isText = true;
    else if (name === 'w:tab') this.#paragraph += '\t';
    else if (name === 'w:br' || name === 'w:cr') this.#paragraph += '\n';
    else if (name === 'w:noBreakHyphen') this.#paragraph += '-';
    else if (name === 'w:numPr') this.#isItem = true;
    else if (name === 'w:del' || name === 'mc:Fallback') this.#deleted++;
    else if (name === 'w:pStyle') this.#level = this.#levels.get(attributes['w:val'] ?? '') ?? 0;
    else if (name === 'w:tr') this.#rows.push([]);
    else if (name === 'w:tc') this.#rows.at(-1)?.push('');
  }

  close(name: string): void {
    if (name === 'w:t') this.#isText = false;
    else if (name === 'w:del' || name === 'mc:Fallback') this.#deleted--;
    else if (name === 'w:p') this.#endParagraph();
    else if (name === 'w:tr') this.#endRow();
    else if (name === 'w:tbl' && this.#rows.length === 0) this.#builder.append('\n');
  }

  text(text: string): void {
    if (this.#isText && this.#deleted === 0) this.#paragraph += text;
  }

  #endParagraph(): void {
    const text = cleanText(this.#paragraph).trim();
    this.#paragraph = '';
    if (text === '') return;
    const row = this.#rows.at(-1);
    if (row && row.length > 0) row[row.length - 1] += (row.at(-1) === '' ? '' : ' ') + text.replace(/\s+/g, ' ');
    else if (this.#level > 0) {
      this.#builder.heading(text.replace(/\s+/g, ' '), this.#level);
      this.#builder.append('\n\n');
    } else this.#builder.append(this.#isItem ? `- ${text}\n` : `${text}\n\n`);
  }

  /** A table within a cell becomes text of that cell. */
  #endRow(): void {
    const line = (this.#rows.pop() ?? []).filter((cell) => cell !== '').join(' | ');
    const outer = this.#rows.at(-1);
    if (outer && outer.length > 0) outer[outer.length - 1] += ` ${line}`;
    else if (line !== '') this.#builder.append(`${line}\n`);
  }
}
