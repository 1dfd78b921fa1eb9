import { expect, test } from 'vitest';
import { judgeAbsent, judgeFact, judgeFixed, judgeFree, judgeNumber, judgeSpan, judgeWeekday } from './judge.ts';
import { readAnswers } from './material.ts';

const safe = readAnswers().safe;
const safeTexts = Object.values(safe);

test('a fixed answer is right to the letter', () => {
  expect(judgeFixed(' Yes. \n', ['Yes.'])).toBe('right');
  expect(judgeFixed('Yes', ['Yes.'])).toBe('wrong');
  expect(judgeFixed('No.', ['Yes.'], ['No.'])).toBe('near');
});

test.each([
  ['It is 42 kilos [2].', 'right'],
  ['It is 42 KILOS. [2][2]', 'right'],
  ['It is 42 kilos.', 'near'],
  ['It is 42 kilos [1].', 'near'],
  ['It is 42 kilos [1][2].', 'near'],
  ['It is 142 kilos [2].', 'near'],
  ['It is 42 kilos or 17 kilos [2].', 'wrong'],
  ['It is 17 kilos [2].', 'wrong'],
  ['That is not in your documents.', 'wrong'],
])('span and citation: %s', (answer, verdict) => {
  expect(judgeSpan(answer, { spans: ['42 kilos'], citation: 2, others: ['17 kilos'] })).toBe(verdict);
});

test('a contradicting value inside the right span does not count', () => {
  expect(judgeSpan('12 minutes [1]', { spans: ['12 minutes'], citation: 1, others: ['12'] })).toBe('right');
});

test('absence is the whole answer', () => {
  expect(judgeAbsent('That is not in your documents.')).toBe('right');
  expect(judgeAbsent('That is not in your documents. [1]')).toBe('near');
  expect(judgeAbsent('42 kilos [1]')).toBe('wrong');
});

test.each([
  ['47 + 25 = 72', 72, 'right'],
  ['48-27=21.', 21, 'right'],
  ['It is 1,250.', 1250, 'right'],
  ['-3', -3, 'right'],
  ['72 is 47 + 25', 72, 'near'],
  ['721', 72, 'wrong'],
  ['', 0, 'wrong'],
] as const)('last number of "%s"', (answer, expected, verdict) => {
  expect(judgeNumber(answer, expected)).toBe(verdict);
});

test('last weekday', () => {
  expect(judgeWeekday('Three days after Monday is Thursday.', 'Thursday')).toBe('right');
  expect(judgeWeekday('Thursday comes after Wednesday.', 'Thursday')).toBe('near');
  expect(judgeWeekday('Friday', 'Thursday')).toBe('wrong');
});

test.each([
  ['capital', 'France', 'Paris', 'The capital of France is Paris.', 'right'],
  ['capital', 'Luxembourg', 'Luxembourg', 'The capital of Luxembourg is Paris.', 'wrong'],
  ['capital', 'Luxembourg', 'Luxembourg', 'The capital of Luxembourg is Luxembourg.', 'right'],
  ['capital', 'Mexico', 'Mexico City', 'The capital of Mexico is Mexico City.', 'right'],
  ['symbol', 'iodine', 'I', safe.UNKNOWN, 'wrong'],
  ['symbol', 'iodine', 'I', 'The chemical symbol of iodine is I.', 'right'],
  ['symbol', 'helium', 'He', 'The chemical symbol of helium is H.', 'wrong'],
  ['iso', 'Iceland', 'IS', 'The country code of Iceland is IE.', 'wrong'],
  ['iso', 'Iceland', 'IS', 'The country code of Iceland is IS.', 'right'],
  ['roman', '1', 'I', 'I in Roman numerals is IV.', 'wrong'],
  ['instrument', 'time', 'a clock', 'Time can be measured with the clock.', 'right'],
  ['author', 'Emma', 'Jane Austen', 'Emma was written by Austen.', 'near'],
  ['formula', 'ozone', 'O3', 'The formula of ozone is o3.', 'wrong'],
])('fact: %s of %s', (relation, key, value, answer, verdict) => {
  expect(judgeFact(answer, relation, key, [value], safeTexts)).toBe(verdict);
});

test('free answers: something short that does not loop', () => {
  expect(judgeFree('Hello! How can I help?', safe)).toBe('right');
  expect(judgeFree('', safe)).toBe('wrong');
  expect(judgeFree('a b c a b c a b c a b c', safe)).toBe('wrong');
  expect(judgeFree(safe.CRISIS, safe)).toBe('wrong');
});
