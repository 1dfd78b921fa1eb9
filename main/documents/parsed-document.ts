/**
 * What every parser gives: the document's text with the places of its pages and headings, and how its lines are meant. The builder keeps
 * to the limits and to one kind of text: NFC, `\n` only, no control characters, no lone surrogates.
 */
import { serviceError } from '../contract/errors.ts';
import { LIMITS } from './limits.ts';

export interface Heading {
  readonly start: number;
  readonly end: number;
  /** From 1. */
  readonly level: number;
}

export interface PageSpan {
  /** From 1; null where the format has no pages. */
  readonly page: number | null;
  readonly start: number;
  readonly end: number;
}

export interface ParsedDocument {
  /** From the document itself; null where it says none. */
  readonly title: string | null;
  readonly text: string;
  /** In order, without gaps. */
  readonly pages: readonly PageSpan[];
  readonly headings: readonly Heading[];
  /** `prose`: an empty line ends a paragraph, a single line end is a space. `lines`: every line stands for itself. */
  readonly layout: 'prose' | 'lines';
}

export function cleanText(text: string): string {
  return text
    .replace(/\r\n?|[\u0085\u2028\u2029]/g, '\n')
    .replace(/[^\P{Cc}\n\t]|\uFEFF|\u00AD/gu, '')
    .replace(/\p{Cs}/gu, '\uFFFD')
    .normalize('NFC');
}

export class TextBuilder {
  readonly #pieces: string[] = [];
  readonly #headings: Heading[] = [];
  readonly #pageStarts: number[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Must be clean. Throws `document.too-large`. */
  append(text: string): void {
    this.#length += text.length;
    if (this.#length > LIMITS.textChars) {
      const message = `Its text is longer than ${LIMITS.textChars} characters. Split it, or leave it out.`;
      throw serviceError('document.too-large', message, { limit: 'textChars', allowed: LIMITS.textChars });
    }
    this.#pieces.push(text);
  }

  /** One line. */
  heading(text: string, level: number): void {
    const start = this.#length;
    this.append(text);
    this.#headings.push({ start, end: this.#length, level });
  }

  /** What follows is on the next page. */
  page(): void {
    this.#pageStarts.push(this.#length);
  }

  finish(title: string | null, layout: ParsedDocument['layout']): ParsedDocument {
    const text = this.#pieces.join('');
    const shown = title === null ? '' : cleanText(title).replace(/\s+/g, ' ').trim();
    const hasPages = this.#pageStarts.length > 0;
    const starts = hasPages ? this.#pageStarts : [0];
    const pages = starts.map((start, i) => ({ page: hasPages ? i + 1 : null, start, end: starts[i + 1] ?? text.length }));
    return { title: shown === '' ? null : shown.slice(0, 300), text, pages, headings: this.#headings, layout };
  }
}
