import { expect, test } from 'vitest';
import type { WireError } from '../../main/contract/errors.ts';
import type { MessageStatus } from '../../main/contract/types.ts';
import { noAnswerText } from './no-answer.ts';

const full: WireError = { code: 'engine.context-full', message: 'The context is full.', details: {} };

test.each<[MessageStatus, WireError | null, RegExp | null]>([
  ['complete', null, /ended while it was thinking\.$/],
  ['complete', full, /was still thinking\. The context is full\.$/],
  ['stopped', null, /was still thinking\.$/],
  ['failed', full, null],
  ['interrupted', null, null],
])('%s, error %j', (status, error, text) => {
  expect(noAnswerText({ content: 'Paris.', status, error })).toBeNull();
  const said = noAnswerText({ content: '<think>France, so', status, error });
  if (text === null) expect(said).toBeNull();
  else expect(said).toMatch(text);
});
