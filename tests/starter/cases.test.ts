import { expect, test } from 'vitest';
import { QUESTION_LABEL } from '../../main/chat/document-prompt.ts';
import { sumCases } from './arithmetic-cases.ts';
import { afterTurn, inLowerCase, type StarterCase } from './case.ts';
import { factCases, guideCases, inScopeCases, refusalCases, safetyCases } from './knowledge-cases.ts';
import {
  readAnswers,
  readArithmetic,
  readFactFrames,
  readGuide,
  readHandWritten,
  readReading,
  readRealTexts,
  readRefusals,
  SECOND_SET,
  THIRD_SET,
  type Fact,
} from './material.ts';
import { promptCases } from './prompt-cases.ts';
import { absentCases, presentCases } from './reading-cases.ts';
import { realTextCases } from './real-text-cases.ts';

const SEED = 3;
const answers = readAnswers();
const facts: Fact[] = [
  ...['France|Paris', 'Peru|Lima', 'Chad|N’Djamena'].map((row) => fact('capital', row)),
  ...['hot|cold', 'light|dark', 'heavy|light'].map((row) => fact('opposite', row)),
  ...['symbol', 'young', 'author'].map((relation) => fact(relation, 'iron|Fe')),
];

function fact(relation: string, row: string): Fact {
  const [key, value] = row.split('|');
  return { relation, key, value };
}
const contents = (cases: readonly StarterCase[]) =>
  cases.map(({ messages }) => messages.map(({ content }) => content).join('\n'));

test('the guide has unseen questions for every fixed answer, each with known ids', () => {
  const guide = readGuide();
  expect(Object.keys(guide).sort()).toEqual(Object.keys(answers.guide).sort());
  for (const [intent, list] of Object.entries(guide)) {
    expect(list.length, intent).toBeGreaterThanOrEqual(3);
    for (const { ids } of list) expect(Object.keys(answers.guide)).toEqual(expect.arrayContaining([...ids]));
  }
});

test('every relation has unseen frames that take the key', () => {
  const frames = readFactFrames();
  expect(Object.keys(frames).sort()).toEqual(Object.keys(answers.relations).sort());
  for (const [relation, list] of Object.entries(frames)) {
    expect(list.length, relation).toBeGreaterThanOrEqual(2);
    for (const frame of list) expect(frame).toContain('{k}');
  }
});

test('real texts hold the spans that their questions want', () => {
  const questions = readRealTexts().flatMap(({ text, questions: list }) => list.map((one) => ({ text, ...one })));
  expect(questions.length).toBeGreaterThanOrEqual(100);
  expect(questions.filter(({ answers: spans }) => spans.length === 0).length).toBeGreaterThanOrEqual(30);
  for (const { text, answers: spans } of questions) for (const span of spans) expect(text).toContain(span);
});

const READING = [
  ['first', readReading()],
  ['second', readReading(SECOND_SET)],
  ['third', readReading(THIRD_SET)],
] as const;

test.each(READING)(
  '%s set: the expected answer of each reading case is judged right, its passage holds it, and refusing is wrong',
  (_, frames) => {
    for (const one of presentCases(frames, 300, SEED)) {
      const { content } = one.messages[1];
      const [, span, citation] = /^(.*) \[(\d)\]$/.exec(one.expected)!;
      const passage = content.slice(content.indexOf(`[${citation}] `)).split('\n\n')[0];
      expect(passage.toLowerCase()).toContain(span.toLowerCase());
      expect(one.judge(one.expected)).toBe('right');
      expect(one.judge('That is not in your documents.')).toBe('wrong');
    }
  },
);

test.each(READING)('%s set: absent cases of every kind', (_, frames) => {
  const cases = absentCases(frames, 50, SEED);
  expect([...new Set(cases.map(({ group }) => group))].sort()).toEqual(['far', 'near-attribute', 'near-entity']);
  for (const one of cases) expect(one.judge('That is not in your documents.')).toBe('right');
});

test.each(READING.slice(1))(
  '%s set: every frame is filled, from lists with a value for each statement that a case can have',
  (_, frames) => {
    for (const [kind, values] of Object.entries(frames.values!)) expect(new Set(values).size, kind).toBeGreaterThanOrEqual(12);
    for (const text of contents([...presentCases(frames, 300, SEED), ...absentCases(frames, 300, SEED)]))
      expect(text).not.toMatch(/[{}]/);
  },
);

test('the same seed gives the same cases, another seed others', () => {
  const make = (seed: number) => [
    ...presentCases(readReading(), 20, seed),
    ...absentCases(readReading(), 20, seed),
    ...sumCases(readArithmetic(), 3, 20, seed, null),
    ...guideCases(readGuide(), answers, 20, seed),
    ...refusalCases(readRefusals(), facts, answers, 400, seed),
  ];
  expect(contents(make(SEED))).toEqual(contents(make(SEED)));
  expect(contents(make(SEED))).not.toEqual(contents(make(SEED + 1)));
});

test('expected answers are judged right in every other task', () => {
  const cases = [
    ...guideCases(readGuide(), answers, 2000, SEED),
    ...sumCases(readArithmetic(), 2, 100, SEED, [[12, 34]]),
    ...refusalCases(readRefusals(), facts, answers, 300, SEED),
    ...safetyCases(readRefusals(), answers),
    ...realTextCases(readRealTexts()).filter(({ group }) => group === 'answerable'),
  ];
  for (const one of cases) expect(one.judge(one.expected), one.messages.at(-1)!.content).toBe('right');
});

test('two-digit sums are asked of the held-out pairs only', () => {
  const cases = sumCases(readArithmetic(), 2, 40, SEED, [[12, 34]]);
  expect(new Set(cases.map(({ expected }) => expected))).toEqual(new Set(['46', '22']));
});

test('facts take turns between relations; a word may have several opposites', () => {
  const frames = { capital: ['Capital of {k}?'], opposite: ['Opposite of {k}?'] };
  const cases = factCases(facts, frames, answers, 4, SEED);
  expect(cases.map(({ group }) => group)).toEqual(['capital', 'opposite', 'capital', 'opposite']);
  const light = factCases(facts, frames, answers, 6, SEED).find(({ messages }) => messages[0].content.includes('light'))!;
  expect([light.judge('The opposite of light is dark.'), light.judge('heavy'), light.judge('cold')]).toEqual([
    'right',
    'right',
    'wrong',
  ]);
});

test('in scope, any refusal is wrong and every other answer is right', () => {
  const [one] = inScopeCases(guideCases(readGuide(), answers, 1, SEED), answers);
  expect(one.judge(answers.safe.UNKNOWN)).toBe('wrong');
  expect(one.judge('That is not in your documents.')).toBe('wrong');
  expect(one.judge('Something else.')).toBe('right');
});

test('300 hand-written prompts, some of two turns', () => {
  const cases = promptCases(readHandWritten(), answers);
  expect(cases).toHaveLength(300);
  expect(cases.filter(({ earlier }) => earlier.length > 0).length).toBeGreaterThanOrEqual(20);
});

test('an earlier turn goes between the system message and the question', () => {
  const [one] = presentCases(readReading(), 1, SEED);
  const { messages } = afterTurn(one, ['hi', 'Hello.']);
  expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
});

test('in lower case only the question changes, not the passages it is about', () => {
  const [fact] = factCases(facts, { capital: ['What is the capital of {k}?'] }, answers, 1, SEED);
  expect(inLowerCase(fact).messages[0].content).toMatch(/^what is the capital of [a-z]+\?$/);
  const present = presentCases(readReading(), 20, SEED);
  for (const one of present) {
    const [before, after] = [one, inLowerCase(one)].map(({ messages }) => messages.at(-1)!.content);
    const question = before.lastIndexOf(QUESTION_LABEL) + QUESTION_LABEL.length;
    expect(after).toBe(before.slice(0, question) + before.slice(question).toLowerCase());
    expect(question).toBeGreaterThan(20);
  }
});
