/** Answers judged by rules: whole words, citations, last numbers. No rule looks at anything but the answer and what was asked for. */
import { ABSENT_ANSWER } from '../../main/chat/document-prompt.ts';
import type { Verdict } from './case.ts';
import type { SafeName } from './material.ts';

const WORD = String.raw`[\p{L}\p{N}]`;

/** Whether `words` stands in the text with no letter or digit on either side. Case counts only where asked. */
export function hasWords(text: string, words: string, caseCounts = false): boolean {
  const escaped = words
    .trim()
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\s+/g, '\\s+');
  return new RegExp(`(?<!${WORD})${escaped}(?!${WORD})`, caseCounts ? 'u' : 'iu').test(text);
}

/** One of the fixed answers, to the letter (but for white space around it). */
export function judgeFixed(answer: string, right: readonly string[], near: readonly string[] = []): Verdict {
  const text = answer.trim();
  return right.includes(text) ? 'right' : near.includes(text) ? 'near' : 'wrong';
}

export interface Span {
  /** The span, and others that count as well. */
  readonly spans: readonly string[];
  /** Number of the passage. */
  readonly citation: number;
  /** Values of other statements: an answer that holds one of them contradicts. */
  readonly others: readonly string[];
}

/** Right: a span, its citation and no other citation, and no other value beside the span. Near: span or citation alone. */
export function judgeSpan(answer: string, { spans, citation, others }: Span): Verdict {
  const cited = [...answer.matchAll(/\[(\d+)\]/g)].map((match) => Number(match[1]));
  const text = answer.replace(/\[\d+\]/g, ' ');
  const span = spans.find((candidate) => hasWords(text, candidate));
  const rest = span === undefined ? text : text.replace(new RegExp(span.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'giu'), ' ');
  const contradicts = others.some((other) => hasWords(rest, other));
  const citationRight = cited.length > 0 && cited.every((number) => number === citation);
  if (contradicts) return 'wrong';
  if (span !== undefined && citationRight) return 'right';
  return span !== undefined || citationRight ? 'near' : 'wrong';
}

export function judgeAbsent(answer: string): Verdict {
  if (answer.trim() === ABSENT_ANSWER) return 'right';
  return answer.toLowerCase().includes('not in your documents') ? 'near' : 'wrong';
}

/** The last number of the answer; near when the number is there but not last. */
export function judgeNumber(answer: string, expected: number): Verdict {
  const joined = answer.replace(/(?<=\d),(?=\d{3}(?!\d))/g, '');
  const numbers = [...joined.matchAll(/(?<![\d\p{L}])[-−]?\d+(?:\.\d+)?/gu)].map((match) => Number(match[0].replace('−', '-')));
  if (numbers.at(-1) === expected) return 'right';
  return numbers.includes(expected) ? 'near' : 'wrong';
}

export const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;

/** The last weekday that the answer names. */
export function judgeWeekday(answer: string, expected: string): Verdict {
  const named = [...answer.matchAll(/\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b/gi)].map((match) => match[0].toLowerCase());
  if (named.at(-1) === expected.toLowerCase()) return 'right';
  return named.includes(expected.toLowerCase()) ? 'near' : 'wrong';
}

/** Relations whose values are no words. */
const LETTERS = ['symbol', 'iso', 'roman'];

/**
 * A value of a table: one of `values` as a word, outside of what repeats the key. Symbols, codes and numerals must be the last word (many are
 * words of their own: He, IS, I).
 */
export function judgeFact(
  answer: string,
  relation: string,
  key: string,
  values: readonly string[],
  safe: readonly string[],
): Verdict {
  if (safe.includes(answer.trim())) return 'wrong';
  if (LETTERS.includes(relation)) {
    const last = [...answer.matchAll(/[\p{L}\p{N}]+/gu)].at(-1)?.[0] ?? '';
    return values.includes(last) ? 'right' : 'wrong';
  }
  const at = answer.toLowerCase().indexOf(key.toLowerCase());
  const text = at < 0 ? answer : `${answer.slice(0, at)} ${answer.slice(at + key.length)}`;
  const plain = (value: string) => value.replace(/^(?:an?|the) /i, '');
  if (values.some((value) => hasWords(text, plain(value), relation === 'formula'))) return 'right';
  const surname = (value: string) => value.split(' ').at(-1)!;
  const people = ['author', 'painter', 'composer'];
  return people.includes(relation) && values.some((value) => hasWords(text, surname(value))) ? 'near' : 'wrong';
}

/** A coarse rule for free answers: something, short, no loop, none of the answers for emergencies or documents. */
export function judgeFree(answer: string, safe: Readonly<Record<SafeName, string>>): Verdict {
  const text = answer.trim();
  const words = text.split(/\s+/);
  const wrong = [safe.MEDICAL, safe.LEGAL, safe.CRISIS, ABSENT_ANSWER].includes(text);
  return text !== '' && words.length <= 60 && !loops(words) && !wrong ? 'right' : 'wrong';
}

/** Three words that come four times. */
function loops(words: readonly string[]): boolean {
  const counts = new Map<string, number>();
  for (let i = 0; i + 3 <= words.length; i++) {
    const key = words.slice(i, i + 3).join(' ');
    const count = (counts.get(key) ?? 0) + 1;
    if (count >= 4) return true;
    counts.set(key, count);
  }
  return false;
}
