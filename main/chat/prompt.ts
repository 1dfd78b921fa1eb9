/**
 * Messages of a branch → the prompt's ids. When the context is full the oldest turns are left out, whole (a question with its answer),
 * never the system prompt, the last question or the passages that go with it.
 */
import { engineError } from '../../gpu/errors.ts';
import { invariant } from '../../gpu/invariant.ts';
import type { ChatMessage } from '../../gpu/tokenizer/types.ts';
import { splitThoughts } from '../contract/thoughts.ts';
import type { Message } from '../contract/types.ts';
import type { EncodedPrompt, ReadyModel } from './chat-model.ts';

export interface Prompt extends EncodedPrompt {
  readonly droppedTurns: number;
  /** Tokens that the answer may have. */
  readonly maxAnswerTokens: number;
}

/**
 * `path` runs from the first message to the question. Throws `engine.context-full` when system prompt and question alone leave
 * no room for an answer.
 */
export function assemblePrompt(
  path: readonly Message[],
  settings: { readonly systemPrompt: string; readonly maxAnswerTokens: number },
  ready: ReadyModel,
): Prompt {
  return assemble(turnsOf(path), settings.systemPrompt, settings.maxAnswerTokens, ready);
}

/** As `assemblePrompt`, of turns that are put together already. */
export function assemble(
  turns: readonly ChatMessage[][],
  systemPrompt: string,
  maxTokens: number,
  { model, contextTokens }: ReadyModel,
): Prompt {
  const reserve = answerReserve(maxTokens, contextTokens);
  const encode = (dropped: number) => model.encodePrompt([...systemMessage(systemPrompt), ...turns.slice(dropped).flat()]);
  const mostDropped = turns.length - 1;

  // A shorter history never gives a longer prompt, so the least number of turns to drop is found by halving.
  let low = 0;
  let high = mostDropped;
  let prompt = encode(0);
  let droppedTurns = 0;
  if (prompt.ids.length + reserve > contextTokens) {
    while (low < high) {
      const middle = (low + high) >> 1;
      if (encode(middle).ids.length + reserve > contextTokens) low = middle + 1;
      else high = middle;
    }
    prompt = encode(low);
    droppedTurns = low;
  }
  const promptTokens = prompt.ids.length;
  const room = contextTokens - promptTokens;
  if (room < 1)
    throw engineError(
      'engine.context-full',
      `The question and the system prompt have ${promptTokens} tokens; the context holds ${contextTokens}. Shorten them, or choose a longer context in the settings.`,
      { promptTokens, contextTokens },
    );
  return { ...prompt, droppedTurns, maxAnswerTokens: Math.min(maxTokens, room) };
}

/** Room kept for the answer: what was asked for, but at most a quarter of the context, so that history is not dropped for nothing. */
export function answerReserve(maxAnswerTokens: number, contextTokens: number): number {
  return Math.max(1, Math.min(maxAnswerTokens, Math.floor(contextTokens / 4)));
}

export function systemMessage(text: string): ChatMessage[] {
  return text.trim() === '' ? [] : [{ role: 'system', content: text }];
}

/**
 * Each turn is a question and its answer, without the thoughts before it: templates of models that think cut them out of earlier turns
 * themselves, for the others they would only fill the context. (Within a turn, around calls of tools, such templates keep them; there are
 * none here.) Templates insist on the two taking turns: a question that got no answer (stopped at once or while thinking, failed) is joined
 * with the one that follows it.
 */
export function turnsOf(path: readonly Pick<Message, 'role' | 'content'>[]): ChatMessage[][] {
  const turns: ChatMessage[][] = [];
  let waiting: string[] = [];
  for (const { role, content } of path) {
    if (role === 'user') waiting.push(content);
    if (role !== 'assistant') continue;
    const { answer } = splitThoughts(content);
    if (answer.trim() === '') continue;
    turns.push([
      { role: 'user', content: waiting.join('\n\n') },
      { role: 'assistant', content: answer },
    ]);
    waiting = [];
  }
  invariant(waiting.length > 0, 'a prompt ends with a question');
  return [...turns, [{ role: 'user', content: waiting.join('\n\n') }]];
}
