/**
 * Words of a sentence as evidence: what it claims, and how far another sentence says the same. Lexical on purpose: it needs no model, errs in
 * ways a person can see, and a number or a name that is not in the passage is found without fail. Pure.
 */
import { isStopWord } from './stop-words.ts';
import { joinedNumbers, pairs, stem, UNSPACED } from './words.ts';

/** Weights of words in a claim: a number or a name is what an answer is about. */
const NUMBER = 3;
const NAME = 2;
const WORD = 1;
/** A word that the question has already: the answer only repeats it. */
const ECHO = 0.3;
/** The most that a claim gets whose number is not in the sentence, or whose full name (two words or more) is not in the passage. */
const CONTRADICTED = 0.3;

const NUMBER_WORDS = new Map(
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'
    .split(' ')
    .map((word, value) => [word, String(value)]),
);

export interface Claim {
  /** Term → weight. Empty for `Yes.` and the like. */
  readonly terms: ReadonlyMap<string, number>;
  /** Full names: two or more capitalised words in a row, as terms. */
  readonly names: readonly (readonly string[])[];
}

const HAS_UNSPACED = new RegExp(`[${UNSPACED}]`, 'u');

export function claimOf(sentence: string): Claim {
  const terms = new Map<string, number>();
  const names: string[][] = [];
  let run: string[] = [];
  let isFirst = true;
  for (const word of wordsOf(sentence)) {
    const term = termOf(word);
    const isNumber = /\p{N}/u.test(term);
    const isStop = !isNumber && isStopWord(word.toLowerCase());
    const isCapital = /^\p{Lu}/u.test(word) && !isStop;
    const isName = isCapital && !isFirst;
    isFirst = false;
    run = isCapital ? [...run, term] : [];
    if (run.length === 2) names.push(run);
    else if (run.length > 2) names[names.length - 1] = run;
    if (!isStop) terms.set(term, Math.max(terms.get(term) ?? 0, isNumber ? NUMBER : isName ? NAME : WORD));
  }
  return { terms, names };
}

/** All terms of a text, stop words too. */
export function termsOf(text: string): ReadonlySet<string> {
  return new Set(wordsOf(text).map(termOf));
}

/** Share of a claim's weight that is among `terms`, 0 to 1. */
export function coverage(claim: Pick<Claim, 'terms'>, terms: ReadonlySet<string>): number {
  let [found, total] = [0, 0];
  for (const [term, weight] of claim.terms) {
    total += weight;
    if (terms.has(term)) found += weight;
  }
  return total === 0 ? 0 : found / total;
}

/**
 * How far a sentence of a passage supports a claim, 0 to 1. `passage` holds all terms of the passage: its sentences explain each other
 * (`It was built in 1887`), so words of the question may stand beside the sentence, a number of the claim must stand in it,
 * a full name in the passage.
 */
export function support(claim: Claim, question: Claim, sentence: ReadonlySet<string>, passage: ReadonlySet<string>): number {
  const weights = [...claim.terms].map(([term, weight]) => [term, question.terms.has(term) ? weight * ECHO : weight] as const);
  const own = { terms: new Map(weights) };
  const near = coverage(own, sentence);
  const around = coverage(own, passage);
  const asked = question.terms.size === 0 ? 1 : coverage(question, passage);
  const score = (0.8 * near + 0.2 * around) * (0.6 + 0.4 * asked);
  const hasWrongNumber = [...claim.terms.keys()].some((term) => /\p{N}/u.test(term) && !sentence.has(term));
  const hasWrongName = claim.names.some((name) => name.some((term) => !passage.has(term)));
  return hasWrongNumber || hasWrongName ? Math.min(score, CONTRADICTED) : score;
}

function wordsOf(text: string): string[] {
  return [...joinedNumbers(text).matchAll(/\p{N}+(?:\.\p{N}+)?|[\p{L}\p{M}\p{N}]+/gu)].flatMap(([word]) =>
    HAS_UNSPACED.test(word) ? pairs(word) : [word],
  );
}

function termOf(word: string): string {
  const lower = word.toLowerCase();
  return NUMBER_WORDS.get(lower) ?? stem(lower);
}
