import { expect, it } from 'vitest';
import { ANSWERS, expertsField, LOADING, parseNumber, shownNumber } from './numbers.ts';

const field = (key: string) => [...ANSWERS, ...LOADING, expertsField(16)].find((known) => known.key === key)!;

it('reads what people type', () => {
  expect(parseNumber(field('temperature'), ' 0,7 ')).toEqual({ ok: true, change: { temperature: 0.7 } });
  expect(parseNumber(field('seed'), '')).toEqual({ ok: true, change: { seed: null } });
  expect(parseNumber(field('temperature'), '')).toEqual({ ok: true, change: { temperature: null } });
  expect(parseNumber(field('topK'), '40')).toEqual({ ok: true, change: { topK: 40 } });
});

it('says what is wrong and what is allowed', () => {
  for (const [key, typed] of [
    ['maxAnswerTokens', ''],
    ['temperature', '2.1'],
    ['topK', '1.5'],
    ['topP', 'high'],
    ['contextTokens', '-1'],
    ['expertsUsed', '17'],
    ['approximateRouting', '0'],
    ['expertsUsed', '0'],
    ['maxAnswerTokens', 'Infinity'],
  ])
    expect(parseNumber(field(key), typed)).toMatchObject({ ok: false });
  expect(parseNumber(field('topK'), '999')).toEqual({
    ok: false,
    problem: 'Top-k is a whole number from 0 to 256; “999” is not.',
  });
});

it('types and shows memory in MiB', () => {
  expect(parseNumber(field('gpuBudgetBytes'), '6144')).toEqual({ ok: true, change: { gpuBudgetBytes: 6 * 2 ** 30 } });
  expect(parseNumber(field('ramBudgetBytes'), '')).toEqual({ ok: true, change: { ramBudgetBytes: null } });
  expect(shownNumber(field('gpuBudgetBytes'), 6 * 2 ** 30)).toBe('6144');
  expect(shownNumber(field('ramBudgetBytes'), null)).toBe('');
  expect(shownNumber(field('temperature'), 0.7)).toBe('0.7');
});
