/** How a document's text is cut for drawing, and where words of a search stand in it. Pure; spans are half-open, in UTF-16 units. */
import type { DocumentText } from '../../main/contract/documents.ts';

export interface Span {
  readonly start: number;
  readonly end: number;
}

export type Emphasis = 'none' | 'passage' | 'quote';

export interface Segment {
  readonly text: string;
  readonly emphasis: Emphasis;
}

/** A piece is laid out only when it is near the window; one holds about a screenful. */
export interface Piece extends Span {
  readonly key: number;
}

export interface PagePieces {
  /** From 1; null where the document has no pages. */
  readonly page: number | null;
  readonly pieces: readonly Piece[];
}

const PIECE_CHARS = 4000;

/** Pages, each cut at line ends (or anywhere, where there are none for long). */
export function cutPages({ text, pages }: Pick<DocumentText, 'text' | 'pages'>): readonly PagePieces[] {
  return pages.map(({ page, start, end }) => {
    const pieces: Piece[] = [];
    for (let at = start; at < end;) {
      const next = at + PIECE_CHARS >= end ? end : cutAt(text, at + PIECE_CHARS, end);
      pieces.push({ key: at, start: at, end: next });
      at = next;
    }
    return { page, pieces };
  });
}

function cutAt(text: string, from: number, end: number): number {
  const line = text.indexOf('\n', from);
  if (line >= 0 && line + 1 < end && line - from < PIECE_CHARS) return line + 1;
  const inPair = text.charCodeAt(from) >= 0xdc00 && text.charCodeAt(from) < 0xe000;
  return inPair ? from - 1 : from;
}

/** The text of `piece` in order, with what lies in the passage and in the quote told apart. */
export function segmentsOf(text: string, piece: Span, passage: Span | null, quote: Span | null): readonly Segment[] {
  const borders = [piece.start, piece.end];
  for (const span of [passage, quote])
    for (const border of span ? [span.start, span.end] : []) if (border > piece.start && border < piece.end) borders.push(border);
  const sorted = [...new Set(borders)].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((start, at) => ({
    text: text.slice(start, sorted[at + 1]),
    emphasis: within(start, quote) ? 'quote' : within(start, passage) ? 'passage' : 'none',
  }));
}

function within(at: number, span: Span | null): boolean {
  return span !== null && at >= span.start && at < span.end;
}

export interface ExcerptPart {
  readonly text: string;
  readonly found: boolean;
}

/** Up to `mostChars` of `text` around the first word of `query`, with every word of it told apart. */
export function excerpt(text: string, query: string, mostChars: number): readonly ExcerptPart[] {
  const flat = text.replace(/\s+/g, ' ').trim();
  const words = query.match(/[\p{L}\p{N}]+/gu) ?? [];
  const pattern = words.length === 0 ? null : new RegExp(`(?<![\\p{L}\\p{N}])(?:${words.join('|')})[\\p{L}\\p{N}]*`, 'giu');
  const first = pattern ? flat.search(pattern) : 0;
  const start = startOf(flat, Math.max(0, first), mostChars);
  const cut = flat.slice(start, start + mostChars);
  const shown = start + mostChars < flat.length ? cut.replace(/\s+\S*$/, '') : cut;
  const parts: ExcerptPart[] = [];
  let at = 0;
  for (const match of pattern ? shown.matchAll(pattern) : []) {
    if (match.index > at) parts.push({ text: shown.slice(at, match.index), found: false });
    parts.push({ text: match[0], found: true });
    at = match.index + match[0].length;
  }
  parts.push({ text: shown.slice(at) + (start + shown.length < flat.length ? ' …' : ''), found: false });
  if (start > 0) parts.unshift({ text: '… ', found: false });
  return parts.filter((part) => part.text !== '');
}

/** A word's begin, not far before the first hit, and so that the end of a short text is not wasted. */
function startOf(flat: string, hit: number, mostChars: number): number {
  if (flat.length <= mostChars || hit < mostChars * 0.6) return 0;
  const wanted = Math.min(hit - Math.floor(mostChars * 0.25), flat.length - mostChars);
  const space = flat.indexOf(' ', wanted);
  return space >= 0 && space < hit ? space + 1 : wanted;
}

/** The first words of a passage, for a list of sources. */
export function firstWords(text: string, mostChars: number): string {
  const flat = text.replace(/\s+/g, ' ').trim();
  if (flat.length <= mostChars) return flat;
  const cut = flat.slice(0, mostChars);
  const space = cut.lastIndexOf(' ');
  return `${(space > mostChars / 2 ? cut.slice(0, space) : cut).trimEnd()} …`;
}
