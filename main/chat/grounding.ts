/**
 * The documents' part in one answer, whoever writes it (the engine or a server): the passages that it is given, what they say about its
 * text, and the whole answer where there are none.
 */
import type { Passage } from '../contract/documents.ts';
import { splitThoughts, withAnswer } from '../contract/thoughts.ts';
import { checkAnswer, NO_EVIDENCE, type CheckedAnswer } from '../documents/evidence.ts';
import type { AnswerWriter } from './answer-writer.ts';
import { ABSENT_ANSWER } from './document-prompt.ts';

export class Grounding {
  readonly #writer: AnswerWriter;
  #question = '';
  #sources: readonly Passage[] = [];

  constructor(writer: AnswerWriter) {
    this.#writer = writer;
  }

  /** `sources`: the passages in the prompt, committed and told before the answer's first word; may be empty. */
  begin(question: string, sources: readonly Passage[]): void {
    this.#question = question;
    this.#sources = sources;
    this.#writer.sources(sources);
  }

  /** Null for an answer without passages or without text. Thoughts claim nothing: spans count in the answer behind them. */
  checked(): CheckedAnswer | null {
    const { answer } = splitThoughts(this.#writer.content);
    if (this.#sources.length === 0 || answer.trim() === '') return null;
    const checked = checkAnswer(answer, this.#question, this.#sources);
    return answer === this.#writer.content ? checked : behindThoughts(this.#writer.content, checked);
  }

  /** The documents have nothing to do with the question: nobody is asked. */
  finishAbsent(): void {
    this.#writer.append(ABSENT_ANSWER, 0);
    this.#writer.finish({ status: 'complete', stats: null, error: null, evidence: NO_EVIDENCE });
  }
}

/** An answer that began with a citation of nothing begins with white space now, which behind thoughts would not count as its own. */
function behindThoughts(whole: string, { content, evidence }: CheckedAnswer): CheckedAnswer {
  const answer = content.trimStart();
  const cut = content.length - answer.length;
  const unsupportedSentences = evidence.unsupportedSentences.map(({ start, end }) => ({ start: start - cut, end: end - cut }));
  return { content: withAnswer(whole, answer), evidence: { ...evidence, unsupportedSentences } };
}
