import type { Tokens } from 'marked';
import { describe, expect, it } from 'vitest';
import { longAnswer, MARKDOWN_ANSWER } from '../state/fake-conversations.ts';
import { BlockReader } from './blocks.ts';
import { dialectFor, PLAIN } from './dialect.ts';

const html = (source: string, dialect = PLAIN): string =>
  new BlockReader(dialect)
    .read(source, false)
    .map(({ token }) => dialect.render(token))
    .join('');

describe('BlockReader', () => {
  it('gives the same blocks however the text arrives', () => {
    const tricky =
      'para\n===\n\na | b\n---|---\n1 | 2\n\n- one\n\n- two\n\n    inside\n\n```js\ncode\n\n```\n\n> quote\nlazy\n\n1. a\n2. b\n\n<details>\n<summary>x</summary>\n\ntext\n\n</details>\n\nend';
    const lists = Array.from({ length: 130 }, (_, at) => `${at + 1}. item ${at}\n${at % 50 === 7 ? '\n   more\n\n' : ''}`).join(
      '',
    );
    for (const source of [tricky, MARKDOWN_ANSWER, lists, `${lists}\nend`]) {
      const whole = new BlockReader().read(source, false).map(({ raw }) => raw);
      for (const step of [1, 3, 17]) {
        const reader = new BlockReader();
        for (let end = step; end < source.length; end += step) reader.read(source.slice(0, end), true);
        expect(
          reader.read(source, false).map(({ raw }) => raw),
          `steps of ${step}`,
        ).toEqual(whole);
      }
    }
  });

  it('cuts a long list and goes on counting', () => {
    const source = Array.from({ length: 100 }, (_, at) => `${at + 1}. item ${at + 1}\n`).join('');
    const blocks = new BlockReader().read(source, false);
    expect(blocks.map(({ token }) => (token as Tokens.List).start)).toEqual([1, 41, 81]);
    expect(blocks.flatMap(({ token }) => (token as Tokens.List).items.map(({ text }) => text)).at(-1)).toBe('item 100');
  });

  it('loses no text', () => {
    const list = Array.from({ length: 130 }, (_, at) => `- item ${at}\n`).join('');
    for (const source of [
      list,
      `${list}\n\nend`,
      MARKDOWN_ANSWER,
      longAnswer(500),
      '\n\n\nlead',
      'tail\n\n\n',
      '[x]: https://example.org\n\n[x]',
    ])
      expect(
        new BlockReader()
          .read(source, false)
          .map(({ raw }) => raw)
          .join(''),
      ).toBe(source);
  });

  it('keeps blocks before the end as they are while the text grows', () => {
    const reader = new BlockReader();
    const before = reader.read('one\n\ntwo\n\nthree\n\nfour', true);
    const after = reader.read('one\n\ntwo\n\nthree\n\nfour more', true);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe(before[1]);
    expect(after.at(-1)).toMatchObject({ raw: 'four more', open: true });
  });

  it('starts anew for another text', () => {
    const reader = new BlockReader();
    reader.read('# one\n\ntwo\n\nthree\n\nfour', false);
    expect(reader.read('other', false).map(({ raw }) => raw)).toEqual(['other']);
  });

  it('reads only the end of a long answer again', () => {
    const source = longAnswer(10_000);
    const reader = new BlockReader();
    const before = new Set(reader.read(source, true));
    const after = reader.read(`${source} and more`, true);
    expect(before.size).toBeGreaterThan(1000);
    expect(after.filter((block) => !before.has(block)).length).toBeLessThanOrEqual(3);
  });
});

describe('the dialect', () => {
  it('leaves formulas as text', () => {
    expect(html('so \\(a_1 * b_2 * c\\) and $$x < y$$')).toContain('<span class="formula">\\(a_1 * b_2 * c\\)</span>');
    expect(html('so $$x < y$$')).toContain('x &#60; y');
  });

  it('shows markup as text unless it only formats', () => {
    expect(html('<script>alert(1)</script>')).not.toContain('<script');
    expect(html('a <b onclick="x()">b</b>')).toContain('&#60;b onclick=');
    expect(html('<kbd>Ctrl</kbd> line<br>two')).toContain('<kbd>Ctrl</kbd> line<br>two');
    expect(html('<img src=x onerror=alert(1)')).not.toContain('<img');
  });

  it('links only to the web and to mail', () => {
    expect(html('[x](javascript:alert(1))')).not.toContain('<a');
    expect(html('[x](data:text/html,hi)')).not.toContain('<a');
    expect(html('[x](file:///etc/passwd)')).not.toContain('<a');
    expect(html('[x](https://example.org "tip")')).toContain('rel="noopener noreferrer nofollow"');
    expect(html('[x](https://e.org/"onmouseover="y)')).not.toContain('"onmouseover');
  });

  it('fetches no picture', () => {
    expect(html('![a cat](https://example.org/cat.png)')).toContain('Picture: a cat ↗</a>');
    expect(html('![x](data:image/png;base64,AA)')).not.toContain('<img');
  });

  it('escapes code', () => {
    expect(html('```html\n<script>\n```')).toContain('&lt;script&gt;');
    expect(html('`<b>`')).toContain('&lt;b&gt;');
  });
});

describe('citations', () => {
  const cited = dialectFor(['Lease.pdf, p. 3', '"><img src=x onerror=alert(1)>']);
  const numbers = (source: string): string[] =>
    [...html(source, cited).matchAll(/<button[^>]*class="citation"[^>]*>(\d+)<\/button>/g)].map(([, number]) => number);

  it('become buttons, side by side and inside other formatting', () => {
    expect(numbers('The deposit is two rents [1]. Both agree [1][2].')).toEqual(['1', '1', '2']);
    expect(numbers('- **bold [2]**\n\n| a |\n| --- |\n| cell [1] |')).toEqual(['2', '1']);
    expect(html('One [1].', cited)).toContain('aria-label="Source 1: Lease.pdf, p. 3"');
  });

  it('stay text where there is no such source, in code and in links', () => {
    expect(numbers('[0] [3] [1234] `a[1]` [1](https://example.org) a[x]\n\n```js\na[1]\n```')).toEqual([]);
    expect(html('[1][3].', cited)).toMatch(/>1<\/button>\[3\]\.<\/span>/);
    expect(html('[01]', cited)).toContain('[01]');
    expect(html('One [1].')).toContain('One [1].');
  });

  it('cannot be made by the answer, and a title stays a title', () => {
    expect(html('<button class="citation">1</button>', cited)).not.toContain('<button');
    expect(html('[2]', cited)).not.toContain('<img');
  });
});
