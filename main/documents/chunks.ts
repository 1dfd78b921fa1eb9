/**
 * A document's text → chunks: whole sentences, within one page and under one heading, about `targetWords` long. A chunk is a slice of the
 * text: `text.slice(start, end)`. The sizes were chosen by recall@5 (docs/documents.md).
 */
import type { ParsedDocument } from './parsed-document.ts';
import { sentencesOf, type Span } from './sentences.ts';
import { UNSPACED } from './words.ts';

export interface ChunkSizes {
  /** A chunk is ended before the sentence that would make it longer. */
  readonly targetWords: number;
  /** A longer sentence is cut at spaces. */
  readonly maxWords: number;
  /** Sentences of the chunk before that a chunk begins with again. */
  readonly overlapSentences: number;
}

export const CHUNK_SIZES: ChunkSizes = { targetWords: 160, maxWords: 240, overlapSentences: 0 };

export interface Chunk extends Span {
  readonly page: number | null;
  /** Headings above it, outermost first, joined by ` › `. */
  readonly heading: string | null;
}

interface Sentence extends Span {
  readonly words: number;
}

const MAX_HEADING_CHARS = 200;

export function chunksOf(document: ParsedDocument, sizes: ChunkSizes = CHUNK_SIZES): Chunk[] {
  return [...sections(document)].flatMap((section) => {
    const sentences = sentencesOf(document.text, document.layout, section.start, section.end).flatMap((sentence) =>
      cut(document.text, sentence, sizes.maxWords),
    );
    return packed(sentences, sizes).map((span) => ({ ...span, page: section.page, heading: section.heading }));
  });
}

/** Parts of the text under one heading and on one page. A heading without text of its own goes with what follows it. */
function* sections({ text, pages, headings }: ParsedDocument): Generator<Chunk> {
  const path: { level: number; text: string }[] = [];
  let place = 0;
  let start = 0;
  for (const { page, end: pageEnd } of pages) {
    let bodyStart = start;
    for (; place < headings.length && headings[place].start < pageEnd; place++) {
      const heading = headings[place];
      if (text.slice(bodyStart, heading.start).trim() !== '') {
        yield { start, end: heading.start, page, heading: pathText(path) };
        start = heading.start;
      }
      while ((path.at(-1)?.level ?? 0) >= heading.level) path.pop();
      path.push({ level: heading.level, text: headingText(text.slice(heading.start, heading.end)) });
      bodyStart = heading.end;
    }
    if (text.slice(start, pageEnd).trim() !== '') yield { start, end: pageEnd, page, heading: pathText(path) };
    start = pageEnd;
  }
}

const headingText = (line: string) => line.replace(/^[\s#]+|[\s#]+$/g, '').replace(/\s+/g, ' ');

function pathText(path: readonly { readonly text: string }[]): string | null {
  const text = path.map((heading) => heading.text).join(' › ');
  return text === '' ? null : text.slice(-MAX_HEADING_CHARS);
}

function packed(sentences: readonly Sentence[], { targetWords, overlapSentences }: ChunkSizes): Span[] {
  const spans: Span[] = [];
  let first = 0;
  let words = 0;
  for (const [i, sentence] of sentences.entries()) {
    if (i > first && words + sentence.words > targetWords) {
      spans.push({ start: sentences[first].start, end: sentences[i - 1].end });
      first = Math.max(first + 1, i - overlapSentences);
      words = sentences.slice(first, i).reduce((sum, before) => sum + before.words, 0);
    }
    words += sentence.words;
  }
  const last = sentences.at(-1);
  if (last) spans.push({ start: sentences[first].start, end: last.end });
  return evened(spans, sentences, targetWords);
}

/** A last chunk of a few words is worth little alone: the last two are parted in the middle. */
function evened(spans: Span[], sentences: readonly Sentence[], targetWords: number): Span[] {
  const [previous, last] = spans.slice(-2);
  if (!last || spans.length < 2) return spans;
  const within = sentences.filter(({ start, end }) => start >= previous.start && end <= last.end);
  const total = within.reduce((sum, { words }) => sum + words, 0);
  const lastWords = within.filter(({ start }) => start >= last.start).reduce((sum, { words }) => sum + words, 0);
  if (lastWords > targetWords / 4) return spans;
  let words = 0;
  const border = within.findIndex((sentence) => (words += sentence.words) >= total / 2);
  if (border < 0 || border >= within.length - 1) return spans;
  return [
    ...spans.slice(0, -2),
    { start: previous.start, end: within[border].end },
    { start: within[border + 1].start, end: last.end },
  ];
}

const UNSPACED_CHAR = new RegExp(`[${UNSPACED}]`, 'gu');
const SPACED_WORD = new RegExp(`[^\\s${UNSPACED}]+`, 'gu');

/** Words; a character of a script without spaces counts for half a word. */
function countWords(text: string): number {
  const unspaced = text.match(UNSPACED_CHAR)?.length ?? 0;
  const words = text.match(SPACED_WORD);
  // A run without spaces (base64, a long identifier) costs a model more than one word.
  return unspaced / 2 + (words ?? []).reduce((sum, word) => sum + Math.max(1, word.length / 12), 0);
}

function cut(text: string, { start, end }: Span, maxWords: number): Sentence[] {
  const words = countWords(text.slice(start, end));
  if (words <= maxWords) return [{ start, end, words }];
  const middle = (start + end) >> 1;
  const space = text.slice(middle + 1, end).search(/\s/) + 1; // 0: none
  let border = space > 0 && space < (end - middle) / 2 ? middle + space : middle;
  if (/[\uDC00-\uDFFF]/.test(text[border])) border++;
  const parts = [
    { start, end: border },
    { start: /\s/.test(text[border]) ? border + 1 : border, end },
  ].filter((part) => part.start < part.end);
  return parts.flatMap((part) => cut(text, part, maxWords));
}
