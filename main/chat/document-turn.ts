/**
 * A question over documents: looking up its passages, and its prompt: as many of the retrieved passages as the context holds beside the question, the last turn and room
 * for the answer; older turns fill what is left. A passage too long for a small context is cut to the sentences around its best one.
 */
import { engineError } from '../../gpu/errors.ts';
import { invariant } from '../../gpu/invariant.ts';
import type { ChatMessage } from '../../gpu/tokenizer/types.ts';
import type { Passage } from '../contract/documents.ts';
import type { Message } from '../contract/types.ts';
import { getConversation } from '../database/conversations.ts';
import type { ReadDb } from '../database/handles.ts';
import { getMessage, listPath } from '../database/messages.ts';
import { withoutCitations } from '../documents/citations.ts';
import { claimOf, coverage, termsOf } from '../documents/claims.ts';
import { searchQuestion } from '../documents/query.ts';
import type { Retriever } from '../documents/retriever.ts';
import { sentencesOfPassage } from '../documents/sentences.ts';
import type { ReadyModel } from './chat-model.ts';
import { DOCUMENT_SYSTEM_PROMPT, documentPrompt } from './document-prompt.ts';
import { answerReserve, assemble, turnsOf, type Prompt } from './prompt.ts';

/** Passages in a prompt at most: small models lose the thread with more. */
export const MOST_PASSAGES = 5;
/** The last turn stays with the question unless it takes more of the context than this. */
const LAST_TURN_SHARE = 0.25;

export interface LookedUp {
  /** From the first message to the question. */
  readonly path: readonly Message[];
  readonly question: string;
  /** Best first; empty when the documents have nothing to do with the question, null where the conversation looks into no collection. */
  readonly passages: readonly Passage[] | null;
}

/** The question of an answer, and what the documents have on it. */
export function lookUp({ db, retriever }: { readonly db: ReadDb; readonly retriever: Retriever }, answerId: string): LookedUp {
  const questionId = getMessage(db, answerId)?.parentId;
  invariant(questionId, 'an answer has a question');
  const path = listPath(db, questionId);
  const questions = path.filter(({ role }) => role === 'user').map(({ content }) => content);
  const question = questions.at(-1);
  invariant(question !== undefined, 'a path ends with a question');
  const collectionId = getConversation(db, path[0].conversationId)?.collectionId ?? null;
  if (collectionId === null) return { path, question, passages: null };
  const search = searchQuestion(question, questions.at(-2) ?? null);
  return { path, question, passages: retriever.retrieve(collectionId, search, MOST_PASSAGES) };
}

/** What a prompt over documents takes of a message. */
export type AskedMessage = Pick<Message, 'role' | 'content' | 'sources'>;

export interface DocumentTurns {
  /** As `turnsOf` gives them, with the passages in the last one. The system message is DOCUMENT_SYSTEM_PROMPT. */
  readonly turns: readonly ChatMessage[][];
  /** The passages in the prompt, as they stand there: `[1]` is the first. */
  readonly sources: readonly Passage[];
}

/** How a model counts: `count` gives a prompt's tokens, `room` those that the prompt may have. */
export interface PromptRoom {
  readonly room: number;
  count(messages: readonly ChatMessage[]): number;
}

/**
 * `passages`: at least one, best first. Throws `engine.context-full` when not even one sentence of a passage fits beside the question.
 */
export function documentTurns(
  path: readonly AskedMessage[],
  passages: readonly Passage[],
  { room, count }: PromptRoom,
): DocumentTurns {
  invariant(passages.length > 0, 'without passages there is no prompt over documents');
  const turns = turnsOf(path.map(withoutOldCitations));
  const history = turns.slice(0, -1);
  const question = turns.at(-1)![0].content;
  const system: ChatMessage = { role: 'system', content: DOCUMENT_SYSTEM_PROMPT };
  const last = history.at(-1) ?? [];
  const kept = last.length > 0 && count([system, ...last]) <= LAST_TURN_SHARE * room ? last : [];
  const asked = (sources: readonly Passage[]): ChatMessage => ({
    role: 'user',
    content: documentPrompt({ passages: sources, question }).user,
  });
  const sources = chosen(passages, question, (some) => count([system, ...kept, asked(some)]) <= room);
  if (sources.length === 0)
    throw engineError(
      'engine.context-full',
      `The question leaves no room for a passage of the documents: a prompt may have ${room} tokens. Shorten it, or choose a longer context in the settings.`,
      { room },
    );
  return { turns: [...history, [asked(sources)]], sources };
}

/** For a model of our engine. */
export function documentPromptFor(
  path: readonly AskedMessage[],
  passages: readonly Passage[],
  settings: { readonly maxAnswerTokens: number },
  ready: ReadyModel,
): { readonly prompt: Prompt; readonly sources: readonly Passage[] } {
  const { turns, sources } = documentTurns(path, passages, {
    room: ready.contextTokens - answerReserve(settings.maxAnswerTokens, ready.contextTokens),
    count: (messages) => ready.model.encodePrompt(messages).ids.length,
  });
  return { prompt: assemble(turns, DOCUMENT_SYSTEM_PROMPT, settings.maxAnswerTokens, ready), sources };
}

/** `[2]` of an earlier answer would point to a passage that is not there any more. */
function withoutOldCitations(message: AskedMessage): AskedMessage {
  return message.sources.length === 0 ? message : { ...message, content: withoutCitations(message.content) };
}

function chosen(passages: readonly Passage[], question: string, fits: (sources: readonly Passage[]) => boolean): Passage[] {
  const sources: Passage[] = [];
  for (const passage of passages.slice(0, MOST_PASSAGES)) {
    if (fits([...sources, passage])) sources.push(passage);
    else if (sources.length === 0) {
      const cut = shortened(passage, question, (shorter) => fits([shorter]));
      if (cut) sources.push(cut);
    }
  }
  return sources;
}

/** The sentence that holds most of the question, and as many around it as fit. */
function shortened(passage: Passage, question: string, fits: (passage: Passage) => boolean): Passage | null {
  const spans = sentencesOfPassage(passage.text);
  const asked = claimOf(question);
  const scores = spans.map(({ start, end }) => coverage(asked, termsOf(passage.text.slice(start, end))));
  let first = scores.indexOf(Math.max(...scores));
  let last = first;
  const slice = (from: number, to: number): Passage => {
    const [{ start }, { end }] = [spans[from], spans[to]];
    return { ...passage, text: passage.text.slice(start, end), start: passage.start + start, end: passage.start + end };
  };
  if (spans.length === 0 || !fits(slice(first, last))) return null;
  for (;;) {
    if (last + 1 < spans.length && fits(slice(first, last + 1))) last++;
    else if (first > 0 && fits(slice(first - 1, last))) first--;
    else return slice(first, last);
  }
}
