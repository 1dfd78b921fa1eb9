/**
 * Words of a sentence as evidence: what it claims, and how far another sentence says the same. Lexical on purpose: it needs no model, errs in
 * ways a person can see, and a number or a name that is not in the passage is found without fail. Pure.
 */
import { isStopWord } from './stop-words.ts';
import { stem } from './words.ts';

/** Weights of words in a claim: a number or a name is what an answer is about. */
const NUMBER = 3;
const NAME = 2;
const WORD = 1;
/** A word that the question has already: the answer only repeats it. */
const ECHO = 0.3;
/** The most that a claim gets whose number is nowhere in the passage. */
const WRONG_NUMBER = 0.3;

const NUMBER_WORDS = new Map(
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'
    .split(' ')
    .map((word, value) => [word, String(value)]),
);

/** Term → weight. Empty for `Yes.` and the like. */
export type Claim = ReadonlyMap<string, number>;

const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

/** `isName` says of a term (lower case, stemmed) whether it is a name. */
export function claimOf(sentence: string): Claim {
  const claim = new Map<string, number>();
  let isFirst = true;
  for (const word of wordsOf(sentence)) {
    const term = termOf(word);
    const isNumber = /\p{N}/u.test(term);
    const isName = !isFirst && /^\p{Lu}/u.test(word);
    isFirst = false;
    if (!isNumber && isStopWord(word.toLowerCase())) continue;
    claim.set(term, Math.max(claim.get(term) ?? 0, isNumber ? NUMBER : isName ? NAME : WORD));
  }
  return claim;
}

/** All terms of a text, stop words too. */
export function termsOf(text: string): ReadonlySet<string> {
  return new Set(wordsOf(text).map(termOf));
}

/** Share of a claim's weight that is among `terms`, 0 to 1. */
export function coverage(claim: Claim, terms: ReadonlySet<string>): number {
  let [found, total] = [0, 0];
  for (const [term, weight] of claim) {
    total += weight;
    if (terms.has(term)) found += weight;
  }
  return total === 0 ? 0 : found / total;
}

/**
 * How far a sentence of a passage supports a claim, 0 to 1. `passage` holds all terms of the passage: its sentences explain each other
 * (`It was built in 1887`), so words of the question may stand beside the sentence, a number of the claim must stand in it.
 */
export function support(claim: Claim, question: Claim, sentence: ReadonlySet<string>, passage: ReadonlySet<string>): number {
  const own = new Map([...claim].map(([term, weight]) => [term, question.has(term) ? weight * ECHO : weight]));
  const near = coverage(own, sentence);
  const around = coverage(own, passage);
  const asked = question.size === 0 ? 1 : coverage(question, passage);
  const score = (0.8 * near + 0.2 * around) * (0.6 + 0.4 * asked);
  const hasWrongNumber = [...claim.keys()].some((term) => /\p{N}/u.test(term) && !sentence.has(term));
  return hasWrongNumber ? Math.min(score, WRONG_NUMBER) : score;
}

function wordsOf(text: string): string[] {
  const joined = text.replace(/(?<=\d)[,'’](?=\d{3}(?!\d))/g, '');
  return [...joined.matchAll(/\p{N}+(?:\.\p{N}+)?|[\p{L}\p{M}\p{N}]+/gu)].flatMap(([word]) =>
    UNSPACED.test(word) ? pairs(word) : [word],
  );
}

function pairs(word: string): string[] {
  const chars = Array.from(word);
  return chars.length < 2 ? chars : chars.slice(1).map((char, i) => chars[i] + char);
}

function termOf(word: string): string {
  const lower = word.toLowerCase();
  return NUMBER_WORDS.get(lower) ?? stem(lower);
}
