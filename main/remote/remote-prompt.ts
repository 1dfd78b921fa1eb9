/**
 * Messages of a branch → the messages a server is sent. Its tokenizer is not known here, so tokens are estimated (four UTF-8 bytes each);
 * where the server's context is known the oldest turns are left out by that estimate, else the server's own limit decides.
 */
import type { ChatMessage } from '../../gpu/tokenizer/types.ts';
import { answerReserve, systemMessage, turnsOf } from '../chat/prompt.ts';
import type { Message } from '../contract/types.ts';

const BYTES_PER_TOKEN = 4;
/** Role and separators of one message. */
const TOKENS_PER_MESSAGE = 4;

export interface RemotePrompt {
  readonly messages: readonly ChatMessage[];
  readonly estimatedTokens: number;
  readonly droppedTurns: number;
  readonly maxAnswerTokens: number;
}

/** `path` runs from the first message to the question, which is never left out, nor is the system prompt. */
export function remotePrompt(
  path: readonly Message[],
  settings: { readonly systemPrompt: string; readonly maxAnswerTokens: number },
  contextTokens: number | null,
): RemotePrompt {
  const turns = turnsOf(path);
  const system = systemMessage(settings.systemPrompt);
  const costs = turns.map(estimateTokens);
  const reserve = contextTokens === null ? 0 : answerReserve(settings.maxAnswerTokens, contextTokens);
  let tokens = estimateTokens(system) + costs.reduce((sum, cost) => sum + cost, 0);
  let droppedTurns = 0;
  while (contextTokens !== null && tokens + reserve > contextTokens && droppedTurns < turns.length - 1)
    tokens -= costs[droppedTurns++];
  const room = contextTokens === null ? Infinity : Math.max(reserve, contextTokens - tokens);
  return {
    messages: [...system, ...turns.slice(droppedTurns).flat()],
    estimatedTokens: tokens,
    droppedTurns,
    maxAnswerTokens: Math.min(settings.maxAnswerTokens, room),
  };
}

function estimateTokens(messages: readonly ChatMessage[]): number {
  return messages.reduce(
    (sum, { content }) => sum + TOKENS_PER_MESSAGE + Math.ceil(Buffer.byteLength(content) / BYTES_PER_TOKEN),
    0,
  );
}
