/**
 * The markdown of answers: GitHub's dialect; formulas and markup that is not plain formatting stay readable text; pictures become
 * links, because nothing is fetched from a network; links lead only to web and mail addresses.
 */
import { Marked, type Token, type Tokens } from 'marked';
import { highlight } from './highlight.ts';

/** Tags that only format. Any other tag, and any attribute, is shown as the text it is. */
const HARMLESS_TAG = /^<\/?(?:b|i|em|strong|s|del|u|sub|sup|kbd|small|mark|br|hr|details|summary)\s*\/?>$/i;
const LINK = /^(?:https?:\/\/|mailto:)/i;
const FORMULA = /^(?:\\\([^\n]*?\\\)|\\\[[\s\S]*?\\\]|\$\$[\s\S]*?\$\$)/;

const marked = new Marked({
  gfm: true,
  async: false,
  extensions: [
    {
      name: 'formula',
      level: 'inline',
      start: (source) => source.search(/\\\(|\\\[|\$\$/),
      tokenizer(source) {
        const found = FORMULA.exec(source);
        return found ? { type: 'formula', raw: found[0], text: found[0] } : undefined;
      },
      renderer: (token) => `<span class="formula">${escapeHtml((token as Tokens.Generic & { text: string }).text)}</span>`,
    },
  ],
  renderer: {
    html: ({ text }) => text.replace(/<[^>]*>?/g, (tag) => (HARMLESS_TAG.test(tag) ? tag : escapeHtml(tag))),
    link({ href, title, tokens }) {
      const text = this.parser.parseInline(tokens);
      if (!LINK.test(href)) return `${text} <span class="refused-link">(${escapeHtml(href)})</span>`;
      const tip = title ? `${title}: ${href}` : href;
      return `<a href="${escapeHtml(href)}" title="${escapeHtml(tip)}" target="_blank" rel="noopener noreferrer nofollow">${text}</a>`;
    },
    image({ href, text }) {
      const label = `Picture${text ? `: ${text}` : ''}`;
      if (!LINK.test(href)) return `<span class="refused-link">${escapeHtml(`[${label}]`)}</span>`;
      return `<a href="${escapeHtml(href)}" title="${escapeHtml(href)}" target="_blank" rel="noopener noreferrer nofollow">${escapeHtml(label)} ↗</a>`;
    },
    code: ({ text, lang }) =>
      `<div class="code"><div class="code-bar"><span>${escapeHtml(languageName(lang))}</span><button type="button" class="copy-code">Copy</button></div><pre tabindex="0"><code>${highlight(text, lang)}</code></pre></div>`,
    table({ header, rows, align }) {
      const cells = (row: Tokens.TableCell[], tag: 'th' | 'td'): string =>
        row
          .map(
            (cell, at) => `<${tag}${align[at] ? ` align="${align[at]}"` : ''}>${this.parser.parseInline(cell.tokens)}</${tag}>`,
          )
          .join('');
      const body = rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('');
      return `<div class="table" tabindex="0" role="group" aria-label="Table"><table><thead><tr>${cells(header, 'th')}</tr></thead><tbody>${body}</tbody></table></div>`;
    },
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
  },
});

export function lexer(source: string): Token[] {
  return marked.lexer(source);
}

/** HTML that was not sanitised yet: only html.ts may use it. */
export function render(token: Token): string {
  return marked.parser([token]);
}

export function languageName(lang: string | undefined): string {
  return (lang ?? '').trim().split(/\s/)[0] || 'text';
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
