import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import type { DocumentKind } from '../../contract/documents.ts';
import { chunksOf } from '../chunks.ts';
import { LIMITS } from '../limits.ts';
import { parseDocument } from '../read-document.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const parse = (kind: DocumentKind, content: string | Uint8Array) =>
  parseDocument(kind, typeof content === 'string' ? bytes(content) : content);
const headings = async (kind: DocumentKind, content: string | Uint8Array) => {
  const { text, headings: found } = await parse(kind, content);
  return found.map(({ start, end, level }) => `${level} ${text.slice(start, end)}`);
};

describe('text', () => {
  const word = 'Größe €5';
  test.each([
    ['UTF-8', bytes(word), word],
    ['UTF-8 with a mark', new Uint8Array([0xef, 0xbb, 0xbf, ...bytes(word)]), word],
    ['UTF-16 LE with a mark', new Uint8Array([0xff, 0xfe, ...Buffer.from(word, 'utf16le')]), word],
    ['UTF-16 LE without one', new Uint8Array(Buffer.from('Plain words', 'utf16le')), 'Plain words'],
    ['UTF-16 BE with a mark', new Uint8Array([0xfe, 0xff, ...Buffer.from(word, 'utf16le').swap16()]), word],
    ['Windows-1252', new Uint8Array([0x47, 0x72, 0xf6, 0xdf, 0x65, 0x20, 0x80, 0x35]), word],
    ['line ends, control characters, decomposed accents', bytes('a\r\nb\rc\u2028d\u0007 e\u0301'), 'a\nb\nc\nd é'],
  ])('%s', async (_, content, text) => {
    expect((await parse('text', content)).text).toBe(text);
  });

  test('what is no text is said', async () => {
    await expect(parse('text', new Uint8Array([1, 0, 0, 0, 2, 0, 0, 3]))).rejects.toMatchObject({ code: 'document.damaged' });
    await expect(parse('text', '  \n\t ')).rejects.toMatchObject({ code: 'document.empty' });
  });
});

test('Markdown: headings of both kinds, none in fenced code or front matter; the title is the first of the first level', async () => {
  const source =
    '---\n# no\n---\n\n# *The* guide\n\nText.\n\n```sh\n# no heading\n```\n\nUnder\n-----\n\nMore\ntext\n\n### Third ###\n- a\n---\n';
  expect(await headings('markdown', source)).toEqual(['1 # *The* guide', '2 Under', '3 ### Third ###']);
  expect((await parse('markdown', source)).title).toBe('The guide');
  expect((await parse('markdown', source)).text).toBe(source);
});

test('HTML: script, style and navigation go; headings, lists, tables, entities and preformatted text stay', async () => {
  const source = `<!doctype html><html><head><title>A &amp; B</title><style>p { color: red }</style></head><body>
    <nav>Menu</nav><script>alert('x')</script><h1>First<br>line</h1><p>Some <b>bold</b>
    text &uuml;ber <a href="x">links</a>.</p><ul><li>one</li><li>two</li></ul>
    <table><tr><th>Name</th><th>Age</th></tr><tr><td>Ada</td><td>36</td></tr></table><pre>a
  b</pre><p>unclosed <i>forever`;
  const { text, title } = await parse('html', source);
  expect(title).toBe('A & B');
  expect(text).toBe(
    'First line\n\nSome bold text über links.\n\n- one\n- two\n\nName | Age\nAda | 36\n\na\n  b\n\nunclosed forever',
  );
  expect(await headings('html', source)).toEqual(['1 First line']);
});

test('HTML in another encoding says which', async () => {
  const source = new Uint8Array([...bytes('<meta charset="iso-8859-2"><p>Pr'), 0xf9, ...bytes('vodce</p>')]);
  expect((await parse('html', source)).text.trim()).toBe('Průvodce');
});

test('CSV: each row with the names of its cells, whatever the delimiter; quotes hold anything', async () => {
  expect((await parse('csv', 'Name;Age\n"Lovelace; Ada";36\n\n"He said ""no""\nand left";7\n')).text).toBe(
    'Name: Lovelace; Ada; Age: 36\nName: He said "no" and left; Age: 7\n',
  );
  expect((await parse('csv', '1,2\n3,4\n')).text).toBe('1; 2\n3; 4\n');
  expect((await parse('csv', 'City\tPeople\nOslo\t700000\n')).text).toBe('City: Oslo; People: 700000\n');
});

describe('DOCX', () => {
  const word = (body: string) =>
    `<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>${body}</w:body></w:document>`;
  const p = (text: string, style = '') =>
    `<w:p><w:pPr>${style === '' ? '' : `<w:pStyle w:val="${style}"/>`}</w:pPr><w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
  const styles = word('').replace(
    '<w:body></w:body>',
    '<w:style w:styleId="Ueberschrift2"><w:name w:val="heading 2"/></w:style>',
  );
  const docx = (parts: Record<string, string>) =>
    zipSync(Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, bytes(text)])));

  test('paragraphs, headings by style, lists, tables, footnotes; deleted text is left out', async () => {
    const body =
      p('Chapter &amp; verse', 'Ueberschrift2') +
      `<w:p><w:r><w:t>A </w:t></w:r><w:del><w:r><w:t>never </w:t><w:delText>gone</w:delText></w:r></w:del><w:ins><w:r><w:t>kept</w:t></w:r></w:ins><w:r><w:tab/><w:t>tab.</w:t></w:r></w:p>` +
      `<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>item</w:t></w:r></w:p>` +
      `<w:tbl><w:tr><w:tc>${p('Name')}</w:tc><w:tc>${p('Ada')}${p('Lovelace')}</w:tc></w:tr></w:tbl>`;
    const file = docx({
      'word/document.xml': word(body),
      'word/styles.xml': styles,
      'word/footnotes.xml': word(p('A note.')),
      'docProps/core.xml': '<cp:coreProperties><dc:title>My &lt;book&gt;</dc:title></cp:coreProperties>',
    });
    const { text, title } = await parse('docx', file);
    expect(title).toBe('My <book>');
    expect(text).toBe('Chapter & verse\n\nA kept\ttab.\n\n- item\nName | Ada Lovelace\n\nA note.\n\n');
    expect(await headings('docx', file)).toEqual(['2 Chapter & verse']);
  });

  test('the title is read as XML: entities are decoded once, numbers too', async () => {
    const core = '<cp:coreProperties><dc:title xml:lang="de">Gr&#246;&#xDF;e &amp;lt; 5</dc:title></cp:coreProperties>';
    const file = docx({ 'word/document.xml': word(p('text')), 'docProps/core.xml': core });
    expect((await parse('docx', file)).title).toBe('Größe &lt; 5');
    const untitled = docx({
      'word/document.xml': word(p('text')),
      'docProps/core.xml': '<cp:x><dc:title/><dc:creator>A</dc:creator></cp:x>',
    });
    expect((await parse('docx', untitled)).title).toBeNull();
  });

  test('hostile archives: a bomb, a deep tree, no document, an old or protected file, half a file', async () => {
    const bomb = docx({ 'word/document.xml': word(p('0'.repeat(30_000_000))) });
    expect(bomb.length).toBeLessThan(100_000);
    await expect(parse('docx', bomb)).rejects.toMatchObject({ code: 'document.too-large', details: { limit: 'partRatio' } });
    const deep = docx({ 'word/document.xml': word('<w:x>'.repeat(LIMITS.nesting + 1)) });
    await expect(parse('docx', deep)).rejects.toMatchObject({ code: 'document.damaged', details: { limit: 'nesting' } });
    await expect(parse('docx', docx({ 'a.txt': 'x' }))).rejects.toMatchObject({ code: 'document.damaged' });
    await expect(parse('docx', new Uint8Array([0xd0, 0xcf, 0x11, 0xe0]))).rejects.toMatchObject({ code: 'document.encrypted' });
    const whole = docx({ 'word/document.xml': word(p('text')) });
    await expect(parse('docx', whole.subarray(0, whole.length / 2))).rejects.toMatchObject({ code: 'document.damaged' });
  });

  test('a size in the archive that lies does not get more memory than it says', async () => {
    const honest = docx({ 'word/document.xml': word(p('0'.repeat(300_000))) });
    const lying = honest.slice();
    const view = new DataView(lying.buffer);
    for (let i = 0; i + 28 < lying.length; i++) if (view.getUint32(i, true) === 0x02014b50) view.setUint32(i + 24, 1000, true);
    const { text } = await parse('docx', lying).catch(() => ({ text: '' }));
    expect(text.length).toBeLessThanOrEqual(1000);
  });
});

test('a tree of HTML that is too deep, and text that is too long, are refused by name', async () => {
  await expect(parse('html', '<div>'.repeat(LIMITS.nesting + 1))).rejects.toMatchObject({ details: { limit: 'nesting' } });
  await expect(parse('code', 'x'.repeat(LIMITS.textChars + 1))).rejects.toMatchObject({ details: { limit: 'textChars' } });
});

test('damaged and random files of every kind end in our own errors or in text', { timeout: 60_000 }, async () => {
  const seed = 11;
  console.log(`seed ${seed}`);
  let state = seed;
  const next = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16;
  const kinds: DocumentKind[] = ['pdf', 'docx', 'html', 'markdown', 'text', 'csv', 'code'];
  for (let round = 0; round < 20; round++)
    for (const kind of kinds) {
      const start = bytes({ pdf: '%PDF-1.7\n1 0 obj <<', docx: 'PK\x03\x04', html: '<html><body>' }[kind as string] ?? '');
      const noise = Uint8Array.from({ length: next() % 3000 }, () =>
        kind === 'pdf' || kind === 'docx' ? next() & 255 : 32 + (next() % 200),
      );
      const result = await parse(kind, new Uint8Array([...start, ...noise])).then(
        (document) => {
          for (const { start: from, end } of chunksOf(document)) expect(document.text.slice(from, end).trim()).not.toBe('');
          return 'text';
        },
        (error: { code?: string }) => error.code,
      );
      expect(result, kind).toMatch(/^(text|document\.\w+)/);
    }
});
