import { expect, it } from 'vitest';
import { NOTHING_NAMED } from '../../main/contract/sampling.ts';
import type { ModelFacts } from '../../main/contract/types.ts';
import { LIMITS, SAMPLING } from './numbers.ts';
import { unsetField, type SettingsModel } from './unset.ts';

const field = (key: string) => [...SAMPLING, ...LIMITS].find((known) => known.key === key)!;
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

it('offers the way back, but not where a value is needed', () => {
  expect(unsetField(field('minP'), withFacts({ ...NOTHING_NAMED, minP: 0.1 }))?.reset).toBe('Back to the model’s 0.1');
  expect(unsetField(field('minP'), null)?.reset).toBe('Back to Conclave’s 0.05');
  expect(unsetField(field('contextTokens'), null)).toEqual({
    placeholder: 'chosen by Conclave',
    reset: 'Back to chosen by Conclave',
  });
  expect(unsetField(field('maxAnswerTokens'), null)).toBeNull();
});
