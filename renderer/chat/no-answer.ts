/** Why an answer that has ended holds thoughts and nothing else, in words. */
import type { Message } from '../../main/contract/types.ts';

/** Null where something else says it: an answer that failed or was interrupted has its own words. */
export function noAnswerText({ status, error }: Pick<Message, 'status' | 'error'>): string | null {
  const stillThinking = 'There is no answer: the model was still thinking.';
  if (status === 'stopped') return stillThinking;
  if (status !== 'complete') return null;
  return error ? `${stillThinking} ${error.message}` : 'There is no answer: the model ended while it was thinking.';
}
