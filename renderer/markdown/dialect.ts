/**
 * The markdown of answers: GitHub's dialect; formulas and markup that is not plain formatting stay readable text; pictures become
 * links, because nothing is fetched from a network; links lead only to web and mail addresses. Where an answer has sources, `[n]`
 * becomes a button for the nth of them.
 */
import { Marked, type MarkedExtension, type Token, type TokenizerAndRendererExtension, type Tokens } from 'marked';
import { highlight } from './highlight.ts';

/** Tags that only format. Any other tag, and any attribute, is shown as the text it is. */
const HARMLESS_TAG = /^<\/?(?:b|i|em|strong|s|del|u|sub|sup|kbd|small|mark|br|hr|details|summary)\s*\/?>$/i;
const LINK = /^(?:https?:\/\/|mailto:)/i;
const FORMULA = /^(?:\\\([^\n]*?\\\)|\\\[[\s\S]*?\\\]|\$\$[\s\S]*?\$\$)/;

/** `[3]`, but not the text of a link; several, and what ends the sentence, stay together on a line. */
const CITATIONS = /^(?:\[\d{1,3}\](?!\())+[.,;:!?)]*/;

const marked = new Marked(options([]));

function options(sources: readonly string[]): MarkedExtension {
  return {
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
      ...(sources.length > 0 ? [citations(sources)] : []),
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
  };
}

function citations(sources: readonly string[]): TokenizerAndRendererExtension {
  const names = sources.map(escapeHtml);
  /** For attributes; undefined where there is no such source. */
  const nameOf = (number: string): string | undefined => (/^0/.test(number) ? undefined : names[Number(number) - 1]);
  return {
    name: 'citations',
    level: 'inline',
    start: (source) => source.search(/\[\d/),
    tokenizer(source) {
      const [raw] = CITATIONS.exec(source) ?? [''];
      const cites = [...raw.matchAll(/\d+/g)].some(([number]) => nameOf(number) !== undefined);
      return cites ? { type: 'citations', raw } : undefined;
    },
    renderer: ({ raw }) => {
      const buttons = raw.replace(/\[(\d+)\]/g, (text, number: string) => {
        const name = nameOf(number);
        if (name === undefined) return text;
        return `<button type="button" class="citation" title="${name}" aria-label="Source ${number}: ${name}">${number}</button>`;
      });
      return `<span class="citations">${buttons}</span>`;
    },
  };
}

export interface Dialect {
  lexer(source: string): Token[];
  /** HTML that was not sanitised yet: only html.ts may use it. */
  render(token: Token): string;
}

export const PLAIN: Dialect = { lexer: (source) => marked.lexer(source), render: (token) => marked.parser([token]) };

/** `sources[n - 1]` is what the button of `[n]` is called. */
export function dialectFor(sources: readonly string[]): Dialect {
  if (sources.length === 0) return PLAIN;
  const cited = new Marked(options(sources));
  return { lexer: (source) => cited.lexer(source), render: (token) => cited.parser([token]) };
}

export function languageName(lang: string | undefined): string {
  return (lang ?? '').trim().split(/\s/)[0] || 'text';
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
