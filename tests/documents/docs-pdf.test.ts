import { beforeAll, expect, test } from 'vitest';
import { chunksOf } from '../../main/documents/chunks.ts';
import type { ParsedDocument } from '../../main/documents/parsed-document.ts';
import { parseDocument } from '../../main/documents/read-document.ts';
import { findChromium, startChromium } from '../e2e/chromium.ts';
import { printDocsPdf } from './docs-pdf.ts';

const found = findChromium();
let document: ParsedDocument;
const reports: [number, number][] = [];
beforeAll(async () => {
  if ('missing' in found) return;
  const browser = await startChromium(found);
  const bytes = await printDocsPdf(browser);
  await browser.close();
  console.log(`${bytes.length} bytes`);
  document = await parseDocument('pdf', bytes, (done, total) => reports.push([done, total]));
}, 120_000);

test.skipIf('missing' in found)('a printed book: pages, title, headings; running heads, feet and hyphens are gone', () => {
  const { pages, text, headings, title } = document;
  expect(pages.length).toBeGreaterThanOrEqual(30);
  expect(pages.map(({ page }) => page)).toEqual(pages.map((_, i) => i + 1));
  expect(pages[0].start).toBe(0);
  pages.slice(1).forEach(({ start }, i) => expect(start).toBe(pages[i].end));
  expect(pages.at(-1)?.end).toBe(text.length);
  expect(reports).toEqual(pages.map((_, i) => [i, pages.length]));
  expect(title).toBe('The Conclave handbook');
  expect(text).not.toContain('The Conclave handbook');
  expect(text).not.toMatch(/Page \d+ of \d+/);
  const names = headings.map(({ start, end }) => text.slice(start, end));
  expect(names).toEqual(expect.arrayContaining(['Architecture', 'Processes', 'A turn', 'The document prompt']));
});

test.skipIf('missing' in found)(
  'a sentence is on its page, and its chunk is a slice of the text with that page and heading',
  () => {
    const { text, pages } = document;
    const sentence = 'Messages form a tree';
    const place = text.indexOf(sentence);
    const page = pages.find(({ start, end }) => place >= start && place < end)?.page;
    const chunk = chunksOf(document).find(({ start, end }) => place >= start && place < end);
    expect(chunk).toMatchObject({ page, heading: 'Architecture › Data' });
    expect(text.slice(chunk!.start, chunk!.end)).toContain(sentence);
  },
);
