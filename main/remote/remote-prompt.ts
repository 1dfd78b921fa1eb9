/**
 * Messages of a branch → the messages a server is sent. Its tokenizer is not known here, so tokens are estimated (four UTF-8 bytes each);
 * where the server's context is known the oldest turns are left out by that estimate, else the server's own limit decides.
 */
import type { ChatMessage } from '../../gpu/tokenizer/types.ts';
import { DOCUMENT_SYSTEM_PROMPT } from '../chat/document-prompt.ts';
import { documentTurns } from '../chat/document-turn.ts';
import { answerReserve, systemMessage, turnsOf } from '../chat/prompt.ts';
import type { Passage } from '../contract/documents.ts';
import type { OutgoingPassage } from '../contract/remote.ts';
import { splitThoughts } from '../contract/thoughts.ts';
import type { Message } from '../contract/types.ts';
import { withoutCitations } from '../documents/citations.ts';

const BYTES_PER_TOKEN = 4;
/** Role and separators of one message. */
const TOKENS_PER_MESSAGE = 4;

export interface RemotePrompt {
  readonly messages: readonly ChatMessage[];
  readonly estimatedTokens: number;
  readonly droppedTurns: number;
  readonly maxAnswerTokens: number;
  /** The passages in it, as in a document turn. */
  readonly sources: readonly Passage[];
}

interface PromptSettings {
  readonly systemPrompt: string;
  readonly maxAnswerTokens: number;
}

/** `path` runs from the first message to the question, which is never left out, nor is the system prompt. `passages`: null for none. */
export function remotePrompt(
  path: readonly Message[],
  settings: PromptSettings,
  contextTokens: number | null,
  passages: readonly Passage[] | null,
): RemotePrompt {
  if (passages === null) return fit(turnsOf(path), settings.systemPrompt, settings.maxAnswerTokens, contextTokens, []);
  const room = contextTokens === null ? Infinity : contextTokens - answerReserve(settings.maxAnswerTokens, contextTokens);
  const { turns, sources } = documentTurns(path, passages, { room, count: estimateTokens });
  return fit(turns, DOCUMENT_SYSTEM_PROMPT, settings.maxAnswerTokens, contextTokens, sources);
}

/** What of the user's documents such a prompt would carry to `host`: passages, and answers made of them that the host did not write itself. */
export function outgoingPassages(path: readonly Message[], prompt: RemotePrompt, host: string): OutgoingPassage[] {
  const passages = prompt.sources.map(({ documentTitle, page, text }) => ({ documentTitle, page, text }));
  const sent = new Set(prompt.messages.map(({ content }) => content));
  const answers = path.flatMap(({ sources, remoteHost, content }) => {
    if (sources.length === 0 || remoteHost === host) return [];
    const { answer } = splitThoughts(content);
    const text = [answer, splitThoughts(withoutCitations(content)).answer].find((form) => sent.has(form));
    return text === undefined ? [] : [{ documentTitle: 'An earlier answer from your documents', page: null, text }];
  });
  return [...passages, ...answers];
}

function fit(
  turns: readonly ChatMessage[][],
  systemPrompt: string,
  maxTokens: number,
  contextTokens: number | null,
  sources: readonly Passage[],
): RemotePrompt {
  const system = systemMessage(systemPrompt);
  const costs = turns.map(estimateTokens);
  const reserve = contextTokens === null ? 0 : answerReserve(maxTokens, contextTokens);
  let tokens = estimateTokens(system) + costs.reduce((sum, cost) => sum + cost, 0);
  let droppedTurns = 0;
  while (contextTokens !== null && tokens + reserve > contextTokens && droppedTurns < turns.length - 1)
    tokens -= costs[droppedTurns++];
  const room = contextTokens === null ? Infinity : Math.max(reserve, contextTokens - tokens);
  return {
    messages: [...system, ...turns.slice(droppedTurns).flat()],
    estimatedTokens: tokens,
    droppedTurns,
    maxAnswerTokens: Math.min(maxTokens, room),
    sources,
  };
}

function estimateTokens(messages: readonly ChatMessage[]): number {
  return messages.reduce(
    (sum, { content }) => sum + TOKENS_PER_MESSAGE + Math.ceil(Buffer.byteLength(content) / BYTES_PER_TOKEN),
    0,
  );
}
