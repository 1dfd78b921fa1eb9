import { describe, expect, test } from 'vitest';
import { chunksOf, CHUNK_SIZES, type ChunkSizes } from './chunks.ts';
import type { ParsedDocument } from './parsed-document.ts';
import { parseDocument } from './read-document.ts';
import { sentencesOf } from './sentences.ts';
import { indexTerms, queryWords, stem } from './words.ts';

const sentences = (text: string) => sentencesOf(text, 'prose').map(({ start, end }) => text.slice(start, end));
const small: ChunkSizes = { targetWords: 12, maxWords: 20, overlapSentences: 0 };

describe('sentences', () => {
  test.each([
    ['One. Two! Three?', ['One.', 'Two!', 'Three?']],
    [
      'Dr. Smith met J. R. Brown, e.g. Tuesday. Fig. 3 shows it.',
      ['Dr. Smith met J. R. Brown, e.g. Tuesday.', 'Fig. 3 shows it.'],
    ],
    ['It costs 3.50 at No. 7.\nA wrapped\nline. Next.', ['It costs 3.50 at No. 7.', 'A wrapped\nline.', 'Next.']],
    ['First paragraph\n\nSecond paragraph.', ['First paragraph', 'Second paragraph.']],
    ['- one\n- two\n1. three\n| a | b |', ['- one', '- two', '1. three', '| a | b |']],
    ['東京は首都です。大阪は大きい。', ['東京は首都です。', '大阪は大きい。']],
    ['   ', []],
  ])('%j', (text, expected) => {
    expect(sentences(text)).toEqual(expected);
  });
});

describe('chunks', () => {
  const texts = (document: ParsedDocument, sizes = small) =>
    chunksOf(document, sizes).map(({ start, end }) => document.text.slice(start, end));
  const plain = (text: string, more: Partial<ParsedDocument> = {}): ParsedDocument => ({
    title: null,
    text,
    pages: [{ page: null, start: 0, end: text.length }],
    headings: [],
    layout: 'prose',
    ...more,
  });

  test('whole sentences up to the target, the last two chunks evened out', () => {
    const document = plain('One two three four five. Six seven eight nine ten. Eleven twelve thirteen fourteen. Last.');
    expect(texts(document)).toEqual([
      'One two three four five. Six seven eight nine ten.',
      'Eleven twelve thirteen fourteen. Last.',
    ]);
    expect(texts(document, { ...small, overlapSentences: 1 })[1]).toMatch(/^Six seven eight nine ten\. Eleven/);
  });

  test('a sentence that is too long is cut at spaces, one without spaces anywhere but in a pair of surrogates', () => {
    const long = Array.from({ length: 50 }, (_, i) => `word${i}`).join(' ');
    const parts = texts(plain(long));
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.join(' ')).toBe(long);
    const birds = '🐦'.repeat(300);
    for (const part of texts(plain(birds))) expect(part).toBe(part.toWellFormed());
  });

  test('no chunk runs over a page or a heading; a heading goes with its text and names the chunk', async () => {
    const document = await parseDocument(
      'markdown',
      new TextEncoder().encode('# A\n\n## B\n\nText of B.\n\n## C\n\nText of C.\n'),
    );
    expect(chunksOf(document).map(({ heading }) => heading)).toEqual(['A › B', 'A › C']);
    expect(texts(document)).toEqual(['# A\n\n## B\n\nText of B.', '## C\n\nText of C.']);
    const text = 'On page one. And more. On page two.';
    const paged = plain(text, {
      pages: [
        { page: 1, start: 0, end: 23 },
        { page: 2, start: 23, end: text.length },
      ],
    });
    expect(chunksOf(paged).map(({ page, start, end }) => [page, text.slice(start, end)])).toEqual([
      [1, 'On page one. And more.'],
      [2, 'On page two.'],
    ]);
  });

  test('every word of a text is in a chunk, in order, and no chunk is much too long', async () => {
    const seed = 7;
    let state = seed;
    const next = (n: number) => ((state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16) % n;
    const source = Array.from(
      { length: 3000 },
      () => ['word', 'Word.', '\n\n', '\n# Head\n', '- item', '東京', 'x'.repeat(80)][next(7)],
    ).join(' ');
    const document = await parseDocument('markdown', new TextEncoder().encode(source));
    const found = chunksOf(document);
    const words = (text: string) => text.split(/\s+/).filter((word) => word !== '');
    expect(found.flatMap(({ start, end }) => words(document.text.slice(start, end)))).toEqual(words(document.text));
    for (const { start, end } of found)
      expect(words(document.text.slice(start, end)).length).toBeLessThanOrEqual(CHUNK_SIZES.maxWords * 2);
  });
});

test('words for the index: pairs where scripts have no spaces, camelCase apart, thousands joined', () => {
  expect(indexTerms('東京都').trim()).toBe('東京 京都');
  expect(indexTerms('getUserName 1,234')).toBe('getUserName 1234 get User Name');
  expect(queryWords("What's the HTTPServer's 12,500?")).toEqual([
    'what',
    's',
    'the',
    'httpserver',
    'http',
    'server',
    's',
    '12500',
  ]);
  for (const [a, b] of [
    ['keys', 'key'],
    ['stopped', 'stops'],
    ['studies', 'study'],
    ['boxes', 'box'],
    ['Café', 'cafe'],
  ])
    expect(stem(a), a).toBe(stem(b));
});
