/**
 * The prompt of a question over documents: as many of the retrieved passages as the context holds beside the question, the last turn and room
 * for the answer; older turns fill what is left. A passage too long for a small context is cut to the sentences around its best one.
 */
import { engineError } from '../../gpu/errors.ts';
import { invariant } from '../../gpu/invariant.ts';
import type { ChatMessage } from '../../gpu/tokenizer/types.ts';
import type { Passage } from '../contract/documents.ts';
import type { Message } from '../contract/types.ts';
import { withoutCitations } from '../documents/citations.ts';
import { claimOf, coverage, termsOf } from '../documents/claims.ts';
import { sentencesOf } from '../documents/sentences.ts';
import type { ReadyModel } from './chat-model.ts';
import { DOCUMENT_SYSTEM_PROMPT, documentPrompt } from './document-prompt.ts';
import { answerReserve, assemble, turnsOf, type Prompt } from './prompt.ts';

/** Passages in a prompt at most: small models lose the thread with more. */
export const MOST_PASSAGES = 5;
/** The last turn stays with the question unless it takes more of the context than this. */
const LAST_TURN_SHARE = 0.25;

export interface DocumentTurn {
  readonly prompt: Prompt;
  /** The passages in the prompt, as they stand there: `[1]` is the first. */
  readonly sources: readonly Passage[];
}

/**
 * `path` runs from the first message to the question; `passages`: at least one, best first. Throws `engine.context-full` when not even one
 * sentence of a passage fits beside the question.
 */
export function documentTurn(
  path: readonly Message[],
  settings: { readonly maxAnswerTokens: number },
  ready: ReadyModel,
  passages: readonly Passage[],
): DocumentTurn {
  invariant(passages.length > 0, 'without passages there is no prompt over documents');
  const turns = turnsOf(path.map(withoutOldCitations));
  const history = turns.slice(0, -1);
  const question = turns.at(-1)![0].content;
  const room = ready.contextTokens - answerReserve(settings.maxAnswerTokens, ready.contextTokens);
  const count = (messages: readonly ChatMessage[]) =>
    ready.model.encodePrompt([{ role: 'system', content: DOCUMENT_SYSTEM_PROMPT }, ...messages]).length;
  const last = history.at(-1) ?? [];
  const kept = last.length > 0 && count(last) <= LAST_TURN_SHARE * room ? last : [];
  const asked = (sources: readonly Passage[]): ChatMessage => ({
    role: 'user',
    content: documentPrompt({ passages: sources, question }).user,
  });
  const fits = (sources: readonly Passage[]) => count([...kept, asked(sources)]) <= room;
  const sources = chosen(passages, question, fits);
  if (sources.length === 0)
    throw engineError(
      'engine.context-full',
      `The question leaves no room for a passage of the documents; the context holds ${ready.contextTokens} tokens. Shorten it, or choose a longer context in the settings.`,
      { contextTokens: ready.contextTokens },
    );
  const prompt = assemble([...history, [asked(sources)]], DOCUMENT_SYSTEM_PROMPT, settings.maxAnswerTokens, ready);
  return { prompt, sources };
}

/** `[2]` of an earlier answer would point to a passage that is not there any more. */
function withoutOldCitations(message: Message): Message {
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
  const spans = sentencesOf(passage.text, 'prose');
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
