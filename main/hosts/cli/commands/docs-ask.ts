/** `docs ask`: one question over a collection, as the chat asks it: passages, the model's answer, what the passages say about it. */
import type { Message } from '../../../contract/types.ts';
import type { Evidence, Passage } from '../../../contract/documents.ts';
import { ABSENT_ANSWER } from '../../../chat/document-prompt.ts';
import { documentPromptFor, MOST_PASSAGES } from '../../../chat/document-turn.ts';
import { checkAnswer, NO_EVIDENCE } from '../../../documents/evidence.ts';
import { chatModelOf } from '../../../library/gguf-model-files.ts';
import { openEngine } from '../../node/engine.ts';
import type { CliContext } from '../command.ts';
import { engineOptions, readGeneration } from '../generation.ts';

export interface AskedAnswer {
  readonly answer: string;
  readonly evidence: Evidence;
  readonly sources: readonly Passage[];
}

/** `passages`: best first; with none the model is not loaded. */
export async function askDocuments(question: string, passages: readonly Passage[], context: CliContext): Promise<AskedAnswer> {
  if (passages.length === 0) return { answer: ABSENT_ANSWER, evidence: NO_EVIDENCE, sources: [] };
  const { flags, common, signal, log } = context;
  const { maxTokens, sampling } = readGeneration(flags);
  const model = flags.required('model');
  const opened = await openEngine({ path: model, ...engineOptions(common, signal, log) });
  try {
    const { tokenizer, template, engine, session } = opened;
    const ready = { model: chatModelOf(model, model, tokenizer, template), contextTokens: engine.contextTokens };
    const { prompt, sources } = documentPromptFor(
      [questionMessage(question)],
      passages.slice(0, MOST_PASSAGES),
      { maxAnswerTokens: maxTokens },
      ready,
    );
    const decoder = tokenizer.decoder();
    let text = '';
    await session.generate(
      { promptIds: prompt.ids, maxTokens: prompt.maxAnswerTokens, sampling, endIds: tokenizer.endIds, signal },
      {
        onPrefill: () => undefined,
        onTokens: (ids) => void (text += ids.map((id) => (tokenizer.endIds.has(id) ? '' : decoder.push(id))).join('')),
      },
    );
    const { content, evidence } = checkAnswer(text + decoder.flush(), question, sources);
    return { answer: content, evidence, sources };
  } finally {
    await opened.close();
  }
}

function questionMessage(content: string): Message {
  const nothing = {
    parentId: null,
    modelName: null,
    remoteHost: null,
    stats: null,
    error: null,
    sources: [],
    evidence: null,
  } as const;
  return {
    ...nothing,
    id: 'question',
    conversationId: 'command-line',
    role: 'user',
    content,
    status: 'complete',
    createdAtMs: 0,
  };
}

export function textOf({ answer, evidence, sources }: AskedAnswer): string {
  const place = ({ documentTitle, page }: Passage) => `${documentTitle}${page === null ? '' : `, p. ${page}`}`;
  const { quote } = evidence;
  const lines = [answer];
  if (evidence.verdict === 'unsupported') lines.push('', 'The passages do not support this answer. What they say:');
  if (quote) lines.push('', `“${quote.text}” [${quote.passage}] ${place(sources[quote.passage - 1])}`);
  if (sources.length > 0) lines.push('', 'Passages:', ...sources.map((source, i) => `[${i + 1}] ${place(source)}`));
  return lines.join('\n');
}
