/** Why an answer that has ended holds thoughts and nothing else, in words. */
import { splitThoughts } from '../../main/contract/thoughts.ts';
import type { Message } from '../../main/contract/types.ts';

/** Null where there is an answer, and where something else says it: an answer that failed or was interrupted has its own words. */
export function noAnswerText({ content, status, error }: Pick<Message, 'content' | 'status' | 'error'>): string | null {
  const { thoughts, answer } = splitThoughts(content);
  if (thoughts === null || answer.trim() !== '') return null;
  const stillThinking = 'There is no answer: the model was still thinking.';
  if (status === 'stopped') return stillThinking;
  if (status !== 'complete') return null;
  return error ? `${stillThinking} ${error.message}` : 'There is no answer: the model ended while it was thinking.';
}
