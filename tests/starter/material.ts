/**
 * The held-out files (resources/starter/heldout) and the tables of facts, typed. Nothing here is made up: files in, data out. Texts that
 * the training text holds after all (seen.json, written by resources/starter/seen.py) are left out.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
export const HELD_OUT_FOLDER = path.join(root, 'resources', 'starter', 'heldout');
/** What is asked, and whether texts are asked too that training holds (seen.json). */
export interface HeldOutSet {
  readonly folder: string;
  readonly withSeen: boolean;
}
export const FIRST_SET: HeldOutSet = { folder: HELD_OUT_FOLDER, withSeen: false };
/** Written later, by other hands: the guide, reading, facts, refusals and arithmetic again. */
export const SECOND_SET: HeldOutSet = { folder: path.join(HELD_OUT_FOLDER, 'second'), withSeen: false };
/** Reading alone, by a hand that saw neither the other sets nor the training. */
export const THIRD_SET: HeldOutSet = { folder: path.join(HELD_OUT_FOLDER, 'third'), withSeen: false };
export const TABLES_FOLDER = path.join(root, 'resources', 'starter', 'data', 'tables');
export const STARTER_MODEL = path.join(root, 'resources', 'models', 'starter.gguf');

export type SafeName = 'UNKNOWN' | 'MEDICAL' | 'LEGAL' | 'CRISIS';

export interface Answers {
  readonly safe: Readonly<Record<SafeName, string>>;
  readonly guide: Readonly<Record<string, string>>;
  readonly relations: Readonly<Record<string, { readonly answer: string }>>;
}
export type GuideQuestions = Readonly<Record<string, readonly { readonly text: string; readonly ids: readonly string[] }[]>>;
export interface ReadingAttribute {
  readonly value: string;
  readonly statements: readonly string[];
  readonly questions: readonly string[];
}
export interface ReadingDomain {
  readonly heading: string;
  /** Patterns of names (`MadeUp.filled`); without them a domain's names are those of `MadeUp.entity`. */
  readonly entity?: readonly string[];
  readonly attributes: Readonly<Record<string, ReadingAttribute>>;
}
export interface ReadingFrames {
  readonly domains: Readonly<Record<string, ReadingDomain>>;
  /** Values of kinds that `MadeUp.value` does not make. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  readonly fillers: readonly string[];
  readonly titles: readonly string[];
}
export interface RealText {
  readonly id: string;
  readonly title: string;
  readonly page: number | null;
  readonly text: string;
  /** No answers: the text does not say it. */
  readonly questions: readonly { readonly question: string; readonly answers: readonly string[] }[];
}
export type FactFrames = Readonly<Record<string, readonly string[]>>;
export interface RefusalKind {
  readonly safe: SafeName;
  /** Guide answers that are right too. */
  readonly ids: readonly string[];
  readonly prompts: readonly { readonly text: string; readonly ids?: readonly string[] }[];
}
export interface RefusalFrame {
  /** Kind of made-up name for `{x}`, or the table whose keys go there. */
  readonly name?: string;
  readonly table?: string;
  readonly texts: readonly string[];
}
export interface Refusals {
  readonly kinds: Readonly<Record<string, RefusalKind>>;
  readonly frames: Readonly<Record<'unknown-entity' | 'unknown-relation', readonly RefusalFrame[]>>;
}
export interface ArithmeticFrames {
  readonly sum: { readonly frames: readonly string[] };
  readonly difference: { readonly frames: readonly string[] };
  readonly product: { readonly frames: readonly string[] };
  readonly unit: {
    readonly frames: readonly string[];
    readonly pairs: readonly { readonly from: string; readonly to: string; readonly factor: number }[];
    readonly least: number;
    readonly most: number;
  };
  readonly weekday: {
    readonly frames: Readonly<Record<'after' | 'before' | 'next' | 'previous', readonly string[]>>;
    readonly least: number;
    readonly most: number;
  };
}
export interface HandWritten {
  readonly turns: readonly string[];
  readonly acceptable: readonly { readonly kind: string; readonly ids?: readonly string[]; readonly value?: string }[];
}
/** Relation, key, value: the rows of the tables as questions see them. */
export interface Fact {
  readonly relation: string;
  readonly key: string;
  readonly value: string;
}

export const readAnswers = (): Answers => heldOut('answers.json');
export const readGuide = (set = FIRST_SET): GuideQuestions => asked('guide.json', set);
export const readRealTexts = (): readonly RealText[] => heldOut('real-texts.json');
export const readFactFrames = (set = FIRST_SET): FactFrames => asked('facts.json', set);
export const readArithmetic = (set = FIRST_SET): ArithmeticFrames => asked('arithmetic.json', set);
export const readHandWritten = (): readonly HandWritten[] => heldOut('prompts-300.json');

/** Frames of which no text is unseen are left out. */
export function readRefusals(set = FIRST_SET): Refusals {
  const { kinds, frames } = asked<Refusals>('refusal.json', set);
  const left = (kind: keyof Refusals['frames']) => frames[kind].filter(({ texts }) => texts.length > 0);
  return { kinds, frames: { 'unknown-entity': left('unknown-entity'), 'unknown-relation': left('unknown-relation') } };
}

/** Attributes that no unseen question asks for, or no unseen statement gives, are left out. */
export function readReading(set = FIRST_SET): ReadingFrames {
  const { domains, ...rest } = asked<ReadingFrames>('reading.json', set);
  const whole = ({ statements, questions }: ReadingAttribute) => statements.length > 0 && questions.length > 0;
  const left = Object.entries(domains).map(([name, domain]) => {
    const kept = Object.entries(domain.attributes).filter(([, attribute]) => whole(attribute));
    return [name, { ...domain, attributes: Object.fromEntries(kept) }] as const;
  });
  return { ...rest, domains: Object.fromEntries(left) };
}

/** Pairs of two-digit numbers that training held out; null where no file says so. */
export function readPairs(): readonly (readonly [number, number])[] | null {
  const file = path.join(HELD_OUT_FOLDER, 'pairs.txt');
  if (!existsSync(file)) return null;
  return lines(file).map((line) => {
    const [a, b] = line.split(/\s+/).map(Number);
    return [a, b] as const;
  });
}

/** Every fact of the tables, in their order. */
export function readFacts(folder = TABLES_FOLDER): Fact[] {
  const table = (name: string) => lines(path.join(folder, name)).map((line) => line.split('|'));
  return [
    ...table('countries.txt').flatMap(([country, capital, continent, iso]) => [
      { relation: 'capital', key: country, value: capital },
      { relation: 'country', key: capital, value: country },
      { relation: 'continent', key: country, value: continent },
      { relation: 'iso', key: country, value: iso },
      { relation: 'iso-country', key: iso, value: country },
    ]),
    ...table('states.txt').flatMap(([state, capital]) => [
      { relation: 'state-capital', key: state, value: capital },
      { relation: 'state-of', key: capital, value: state },
    ]),
    ...table('roman.txt').flatMap(([number, numeral]) => [
      { relation: 'roman', key: number, value: numeral },
      { relation: 'roman-number', key: numeral, value: number },
    ]),
    ...table('elements.txt').flatMap(([number, symbol, name]) => [
      { relation: 'symbol', key: name, value: symbol },
      { relation: 'number', key: name, value: number },
      { relation: 'element', key: symbol, value: name },
      { relation: 'numbered-element', key: number, value: name },
    ]),
    ...table('animals.txt').flatMap(([animal, young, kind, legs]) => [
      { relation: 'young', key: animal, value: young },
      { relation: 'class', key: animal, value: kind },
      { relation: 'legs', key: animal, value: legs },
    ]),
    ...table('words.txt').map(([key, value]) => ({ relation: 'opposite', key, value })),
    ...[...table('grammar.txt'), ...table('misc.txt')].map(([relation, key, value]) => ({ relation, key, value })),
  ];
}

function heldOut<T>(name: string, folder = HELD_OUT_FOLDER): T {
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as T;
}

/** The file without the texts that training saw: entries of lists that are such a text, or objects whose `text` is one. */
function asked<T>(name: string, { folder, withSeen }: HeldOutSet): T {
  if (withSeen) return heldOut(name, folder);
  const seen = new Set(heldOut<Readonly<Record<string, readonly string[]>>>('seen.json', folder)[name]);
  const textOf = (entry: unknown) => (typeof entry === 'object' && entry !== null && 'text' in entry ? entry.text : entry);
  return JSON.parse(readFileSync(path.join(folder, name), 'utf8'), (key, value: unknown) =>
    Array.isArray(value) && key !== 'ids' ? value.filter((entry) => !seen.has(textOf(entry) as string)) : value,
  ) as T;
}

function lines(file: string): string[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}
