/**
 * Colours code once the highlighter has been read, which happens when the first code is shown. Returns HTML in which all code is
 * escaped. Until then, and for unknown languages and very long code, it is plain.
 */
import { Store } from '../state/store.ts';
import type { HLJSApi } from 'highlight.js';

/** Above this a listing takes long enough to be felt (about 1 ms per 100 lines) and nobody reads it for its colours. */
const LONGEST_CHARS = 60_000;

/** Goes up when code that is already shown should be drawn again. */
export const highlighterVersion = new Store(0);
let engine: HLJSApi | null = null;
let asked = false;

export function highlight(code: string, lang: string | undefined): string {
  const language = (lang ?? '').trim().split(/[\s{]/)[0].toLowerCase();
  if (language !== '' && !asked && typeof document !== 'undefined') {
    asked = true;
    void import('./languages.ts').then(({ hljs }) => {
      engine = hljs;
      highlighterVersion.set(highlighterVersion.value + 1);
    });
  }
  if (!engine || code.length > LONGEST_CHARS || !engine.getLanguage(language)) return escapeCode(code);
  return engine.highlight(code, { language, ignoreIllegals: true }).value;
}

function escapeCode(code: string): string {
  return code.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
