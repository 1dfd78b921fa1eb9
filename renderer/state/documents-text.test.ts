import { describe, expect, it } from 'vitest';
import { filesOf, withoutSkipped } from './documents-files.ts';
import { cutPages, excerpt, firstWords, segmentsOf } from './documents-text.ts';
import { collectionFacts, nameOfFiles } from './documents-words.ts';

describe('cutPages', () => {
  const whole = (text: string): string =>
    cutPages({ text, pages: [{ page: null, start: 0, end: text.length }] })
      .flatMap(({ pieces }) => pieces.map(({ start, end }) => text.slice(start, end)))
      .join('');

  it('loses nothing, with lines of any length', () => {
    for (const text of ['', 'short', 'line\n'.repeat(5000), 'x'.repeat(20_000), `${'y'.repeat(3999)}\n${'z'.repeat(9000)}\nend`])
      expect(whole(text)).toBe(text);
  });

  it('cuts at line ends where there are some, and never within a character', () => {
    const text = `${'line\n'.repeat(3000)}`;
    for (const { end } of cutPages({ text, pages: [{ page: 1, start: 0, end: text.length }] })[0].pieces)
      expect(text[end - 1]).toBe('\n');
    const faces = '😀'.repeat(6001);
    for (const odd of ['', 'a'])
      for (const { start } of cutPages({ text: odd + faces, pages: [{ page: 1, start: 0, end: odd.length + faces.length }] })[0]
        .pieces)
        expect((odd + faces).charCodeAt(start) & 0xfc00).not.toBe(0xdc00);
  });

  it('keeps pages apart', () => {
    const text = 'first second';
    const pages = [
      { page: 1, start: 0, end: 6 },
      { page: 2, start: 6, end: 12 },
    ];
    expect(cutPages({ text, pages }).map(({ page, pieces }) => [page, pieces[0].start, pieces[0].end])).toEqual([
      [1, 0, 6],
      [2, 6, 12],
    ]);
  });
});

describe('segmentsOf', () => {
  const text = 'one two three four five';
  it('tells the passage and the sentence within it apart', () => {
    const parts = segmentsOf(text, { start: 0, end: text.length }, { start: 4, end: 18 }, { start: 8, end: 13 });
    expect(parts).toEqual([
      { text: 'one ', emphasis: 'none' },
      { text: 'two ', emphasis: 'passage' },
      { text: 'three', emphasis: 'quote' },
      { text: ' four', emphasis: 'passage' },
      { text: ' five', emphasis: 'none' },
    ]);
  });

  it('follows a passage over the border of two pieces', () => {
    const span = { start: 4, end: 18 };
    expect(segmentsOf(text, { start: 0, end: 10 }, span, null).at(-1)).toEqual({ text: 'two th', emphasis: 'passage' });
    expect(segmentsOf(text, { start: 10, end: 23 }, span, null)[0]).toEqual({ text: 'ree four', emphasis: 'passage' });
    expect(segmentsOf(text, { start: 5, end: 9 }, span, null)).toEqual([{ text: 'wo t', emphasis: 'passage' }]);
  });
});

describe('excerpt', () => {
  const shown = (text: string, query: string, chars: number): string =>
    excerpt(text, query, chars)
      .map((part) => (part.found ? `[${part.text}]` : part.text))
      .join('');

  it('marks whole words that begin with a word sought, whatever their case', () => {
    expect(shown('Deposits are paid. The deposit is not a depot.', 'deposit', 200)).toBe(
      '[Deposits] are paid. The [deposit] is not a depot.',
    );
  });

  it('begins near the first hit of a long passage', () => {
    const text = `${'word '.repeat(200)}needle ${'tail '.repeat(200)}`;
    const cut = shown(text, 'needle', 100);
    expect(cut).toMatch(/^… word.*\[needle\] tail.* …$/);
    expect(cut.length).toBeLessThan(115);
  });

  it('takes signs in a query as they are', () => {
    expect(shown('a+b (c) [d]', 'a+b (c) [', 50)).toBe('[a]+[b] ([c]) [d]');
    expect(shown('plain', '***', 50)).toBe('plain');
  });
});

it('shortens between words', () => {
  expect(firstWords('  One two\n three ', 50)).toBe('One two three');
  expect(firstWords('One two three four', 10)).toBe('One two …');
});

it('names what was dropped', () => {
  expect(nameOfFiles(['Lease.pdf'])).toBe('Lease');
  expect(nameOfFiles(['Papers', 'b', 'c'])).toBe('Papers and 2 more');
});

it('says what a collection holds', () => {
  const collection = { id: 'a', name: 'A', createdAtMs: 0, documents: 0, pending: 0, failed: 0, chunks: 0 };
  expect(collectionFacts(collection)).toBe('Empty');
  expect(collectionFacts({ ...collection, documents: 1200, pending: 3, failed: 1 })).toBe(
    '1,200 documents · 3 still to read · 1 could not be read',
  );
});

describe('files of a folder', () => {
  const file = (name: string): File => new File(['x'], name);
  const leaf = (name: string) => ({ isDirectory: false, name, file: (done: (made: File) => void) => done(file(name)) });
  const folder = (name: string, inside: readonly object[]) => ({
    isDirectory: true,
    name,
    createReader() {
      const batches = [inside.slice(0, 2), inside.slice(2), []]; // browsers give them in batches
      return { readEntries: (done: (batch: readonly object[]) => void) => done(batches.shift() ?? []) };
    },
  });
  const tree = folder('Papers', [
    leaf('a.pdf'),
    leaf('.hidden.md'),
    leaf('photo.jpg'),
    folder('node_modules', [leaf('x.js')]),
    folder('Inner', [leaf('b.md'), leaf('~$lock.docx')]),
  ]);

  it('are the documents in it, without what is hidden or made by tools', async () => {
    const found = await filesOf([file('Papers'), file('photo.jpg')], [tree, leaf('photo.jpg')], false);
    expect(found.map(({ name }) => name)).toEqual(['a.pdf', 'b.md', 'photo.jpg']);
  });

  it('are left to a host that gives paths', async () => {
    const files = [file('Papers')];
    expect(await filesOf(files, [tree], true)).toBe(files);
  });

  it('that was chosen are sifted by their path within it', () => {
    const chosen = (relative: string): File =>
      Object.defineProperty(file(relative.split('/').at(-1)!), 'webkitRelativePath', { value: relative });
    const given = ['.dots/a.md', '.dots/.git/b.md', '.dots/x/c.png', '.dots/x/d.csv'].map(chosen);
    expect(withoutSkipped(given).map(({ name }) => name)).toEqual(['a.md', 'd.csv']);
  });
});
