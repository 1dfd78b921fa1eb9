/**
 * A question in plain language → a query for FTS5: its content words, any of which may match, and pairs of neighbouring words as phrases,
 * which BM25 rewards as terms of their own. Every word is quoted, so nothing a person types is query syntax. Pure.
 */
import { isStopWord } from './stop-words.ts';
import { queryWords } from './words.ts';

/** More terms than these add time, not precision. */
const MOST_WORDS = 24;
const MIN_PREFIX_CHARS = 4;
/** Fewer content words than this: a follow-up that leans on the question before. */
const FEW_WORDS = 3;

/** Without stop words, each once, in order. All words where nothing else is left. */
export function contentWords(question: string): string[] {
  const words = [...new Set(queryWords(question))];
  const content = words.filter((word) => !isStopWord(word) && (word.length > 1 || /[\p{N}\p{Lo}]/u.test(word)));
  return (content.length > 0 ? content : words).slice(0, MOST_WORDS);
}

/** Null for a question without words. */
export function matchQuery(question: string): string | null {
  const words = contentWords(question);
  if (words.length === 0) return null;
  const content = new Set(words);
  const all = queryWords(question);
  const phrases = all.slice(1).flatMap((word, i) => (content.has(word) && content.has(all[i]) ? [`${all[i]} ${word}`] : []));
  return [...words, ...new Set(phrases)]
    .slice(0, 2 * MOST_WORDS)
    .map(quoted)
    .join(' OR ');
}

/** For words that are nowhere as they stand: their beginnings (`kinder` finds `kindergarten`). Null where no word is long enough. */
export function prefixQuery(question: string): string | null {
  const words = contentWords(question).filter((word) => word.length >= MIN_PREFIX_CHARS);
  const stems = words.map((word) => (word.length >= 8 ? word.slice(0, Math.ceil(word.length * 0.7)) : word));
  return words.length === 0 ? null : stems.map((word) => `${quoted(word)} *`).join(' OR ');
}

/** `And how old is it?` is looked for together with the question before. */
export function searchQuestion(question: string, previous: string | null): string {
  return previous !== null && contentWords(question).length < FEW_WORDS ? `${question} ${previous}` : question;
}

const quoted = (words: string) => `"${words.replaceAll('"', '""')}"`;
