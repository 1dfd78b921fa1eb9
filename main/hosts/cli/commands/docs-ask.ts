/** `docs ask`: one question over a collection, as the chat asks it: passages, the model's answer, what the passages say about it. */
import type { Evidence, Passage } from '../../../contract/documents.ts';
import { splitThoughts } from '../../../contract/thoughts.ts';
import { ABSENT_ANSWER } from '../../../chat/document-prompt.ts';
import { documentPromptFor } from '../../../chat/document-turn.ts';
import { checkAnswer, NO_EVIDENCE } from '../../../documents/evidence.ts';
import { chatModelOf } from '../../../library/gguf-model-files.ts';
import { readSampling } from '../../../library/read-sampling.ts';
import { openEngine } from '../../node/engine.ts';
import type { CliContext } from '../command.ts';
import { engineOptions, generateText, generationFor, readGeneration } from '../generation.ts';

export interface AskedAnswer {
  readonly answer: string;
  readonly evidence: Evidence;
  readonly sources: readonly Passage[];
}

/** `passages`: best first; with none the model is not loaded. */
export async function askDocuments(question: string, passages: readonly Passage[], context: CliContext): Promise<AskedAnswer> {
  if (passages.length === 0) return { answer: ABSENT_ANSWER, evidence: NO_EVIDENCE, sources: [] };
  const { flags, common, signal, log } = context;
  const given = readGeneration(flags);
  const path = flags.required('model');
  const opened = await openEngine({ path, ...engineOptions(common, signal, log) });
  try {
    const { tokenizer, template, engine, model } = opened;
    const settings = generationFor(model.file, given, log);
    const sampling = readSampling(model.file).named;
    const ready = { model: chatModelOf(path, path, { tokenizer, template, sampling }), contextTokens: engine.contextTokens };
    const { prompt, sources } = documentPromptFor(
      [{ role: 'user', content: question, sources: [] }],
      passages,
      { maxAnswerTokens: settings.maxTokens },
      ready,
    );
    const { text } = await generateText(opened, prompt, { ...settings, maxTokens: prompt.maxAnswerTokens }, signal);
    const { thoughts, answer } = splitThoughts(text);
    if (thoughts !== null && answer.trim() === '') log('The model was still thinking: give it more --max-tokens.');
    const { content, evidence } = checkAnswer(answer, question, sources);
    return { answer: content, evidence, sources };
  } finally {
    await opened.close();
  }
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
