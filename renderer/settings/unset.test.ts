import { expect, it } from 'vitest';
import { NOTHING_NAMED } from '../../main/contract/sampling.ts';
import type { ModelFacts } from '../../main/contract/types.ts';
import { ANSWERS, expertsField, LOADING } from './numbers.ts';
import { unsetField, type SettingsModel } from './unset.ts';

const field = (key: string) => [...ANSWERS, ...LOADING, expertsField(16)].find((known) => known.key === key)!;
const withFacts = (sampling: ModelFacts['sampling']): SettingsModel => ({ kind: 'file', facts: { sampling } as ModelFacts });

it('says who names an open value: the model, else Conclave, else the server', () => {
  const placeholder = (key: string, model: SettingsModel) => unsetField(field(key), model)?.placeholder;
  const model = withFacts({ ...NOTHING_NAMED, temperature: 0 });
  expect(placeholder('temperature', model)).toBe('0, from the model');
  expect(placeholder('topP', model)).toBe('0.95, Conclave’s own');
  for (const unread of [null, withFacts(null)]) expect(placeholder('temperature', unread)).toBe('0.7, Conclave’s own');
  expect(placeholder('temperature', { kind: 'server' })).toBe('the server’s');
  expect(placeholder('topK', { kind: 'server' })).toBe('not sent to servers');
});

it('says how many experts a model uses, and where there are none', () => {
  const placeholder = (model: SettingsModel) => unsetField(field('expertsUsed'), model)?.placeholder;
  const model = (nExperts: number): SettingsModel => ({ kind: 'file', facts: { nExperts, nExpertsUsed: 2 } as ModelFacts });
  expect(placeholder(model(8))).toBe('2, from the model');
  expect(placeholder(model(0))).toBe('this model has none');
  expect(placeholder(null)).toBe('as the model says');
  expect(placeholder({ kind: 'server' })).toBe('not for servers');
});

it('offers the way back, but not where a value is needed', () => {
  expect(unsetField(field('minP'), withFacts({ ...NOTHING_NAMED, minP: 0.1 }))?.reset).toBe('Back to the model’s 0.1');
  expect(unsetField(field('minP'), null)?.reset).toBe('Back to Conclave’s 0.05');
  expect(unsetField(field('contextTokens'), null)).toEqual({
    placeholder: 'chosen by Conclave',
    reset: 'Let Conclave choose',
  });
  expect(unsetField(field('maxAnswerTokens'), null)).toBeNull();
});
