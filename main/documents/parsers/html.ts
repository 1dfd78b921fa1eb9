/** HTML → text: a SAX parser (no tree, no recursion). Scripts, styles and page furniture go; headings, list items and table rows stay apart. */
import { Parser } from 'htmlparser2';
import { checkNesting, LIMITS } from '../limits.ts';
import { cleanText, TextBuilder, type ParsedDocument } from '../parsed-document.ts';
import { decodeText } from './decode.ts';

const words = (text: string) => new Set(text.split(' '));
const DROPPED = words('script style noscript template svg math iframe object canvas select textarea nav head');
const BLOCKS = words(
  'address article aside blockquote body dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr ' +
    'li main ol p pre section summary table tbody tfoot thead tr ul',
);

export function parseHtml(bytes: Uint8Array): ParsedDocument {
  const writer = new HtmlWriter();
  const parser = new Parser(writer, { decodeEntities: true, lowerCaseTags: true });
  parser.write(decodeText(withDeclaredCharset(bytes)));
  parser.end();
  return writer.finish();
}

/** What follows a `charset` that is not UTF-8 is turned into UTF-8 first. */
function withDeclaredCharset(bytes: Uint8Array): Uint8Array {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 2048));
  const charset = /<meta[^>]+charset\s*=\s*["']?([\w-]+)/i.exec(head)?.[1];
  if (!charset || /^utf-?8$/i.test(charset) || (bytes[0] >= 0xfe && bytes[1] >= 0xfe)) return bytes;
  try {
    return new TextEncoder().encode(new TextDecoder(charset).decode(bytes));
  } catch {
    return bytes; // an encoding that does not exist
  }
}

class HtmlWriter {
  readonly #builder = new TextBuilder();
  #depth = 0;
  /** Depth of the outermost dropped element that is open. */
  #droppedAt: number | null = null;
  #preAt: number | null = null;
  #isTitle = false;
  #title = '';
  #firstHeading: string | null = null;
  #line = '';
  #separator = '';
  #level = 0;

  onopentag(name: string): void {
    checkNesting(++this.#depth);
    if (name === 'title') this.#isTitle = this.#title === '';
    if (this.#droppedAt === null && DROPPED.has(name)) this.#droppedAt = this.#depth;
    if (this.#droppedAt !== null) return;
    if (BLOCKS.has(name)) this.#endBlock(name === 'li' || name === 'tr' ? '\n' : '\n\n');
    if (name === 'pre') this.#preAt ??= this.#depth;
    if (/^h[1-6]$/.test(name)) this.#level = Number(name[1]);
    if (name === 'li') this.#line = '- ';
    if (name === 'br') this.#line += '\n';
    if ((name === 'td' || name === 'th') && this.#line.trim() !== '') this.#line += ' | ';
  }

  onclosetag(name: string): void {
    if (name === 'title') this.#isTitle = false;
    if (this.#droppedAt === null && BLOCKS.has(name)) {
      this.#endBlock(name === 'li' || name === 'tr' ? '\n' : '\n\n');
      if (/^h[1-6]$/.test(name)) this.#level = 0;
    }
    if (this.#depth === this.#droppedAt) this.#droppedAt = null;
    if (this.#depth === this.#preAt) this.#preAt = null;
    this.#depth--;
  }

  ontext(text: string): void {
    if (this.#isTitle) this.#title += text.slice(0, 1000);
    if (this.#droppedAt !== null) return;
    this.#line += this.#preAt === null ? text.replace(/\s+/g, ' ') : text;
    if (this.#line.length > LIMITS.textChars) this.#endBlock('\n');
  }

  finish(): ParsedDocument {
    this.#endBlock('\n');
    return this.#builder.finish(this.#title.trim() || this.#firstHeading, 'prose');
  }

  /** `separator` stands between what ended and what follows; the widest counts where nothing comes between. */
  #endBlock(separator: '\n' | '\n\n'): void {
    const isPre = this.#preAt !== null;
    const line = isPre
      ? this.#line.replace(/^\n+|\s+$/g, '')
      : this.#line
          .replace(/ *\n */g, '\n')
          .replace(/ {2,}/g, ' ')
          .trim();
    const text = cleanText(line);
    this.#line = '';
    if (text === '' || text === '-') {
      if (separator.length > this.#separator.length) this.#separator = separator;
      return;
    }
    if (this.#builder.length > 0) this.#builder.append(this.#separator);
    this.#separator = this.#level > 0 ? '\n\n' : separator;
    if (this.#level === 0) return this.#builder.append(text);
    const heading = text.replace(/\s+/g, ' ');
    this.#firstHeading ??= heading;
    this.#builder.heading(heading, this.#level);
  }
}
