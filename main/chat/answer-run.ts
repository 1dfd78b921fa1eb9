/**
 * One answer from prompt to end: passages, prompt assembly, the engine, ids to text, and what the passages say about the answer. It may end
 * early (stopped, failed); `done` waits for the engine.
 */
import { isConclaveError, engineError } from '../../gpu/errors.ts';
import { invariant } from '../../gpu/invariant.ts';
import type { EngineResult } from '../contract/engine.ts';
import type { Passage } from '../contract/documents.ts';
import { toWireError, type WireError } from '../contract/errors.ts';
import type { GenerationStats, MessageStatus } from '../contract/types.ts';
import { getMessage, listPath } from '../database/messages.ts';
import { checkAnswer, NO_EVIDENCE, type CheckedAnswer } from '../documents/evidence.ts';
import { AnswerWriter } from './answer-writer.ts';
import type { ChatDependencies } from './chat.ts';
import type { ReadyModel, Run } from './chat-model.ts';
import { ABSENT_ANSWER } from './document-prompt.ts';
import { documentPromptFor, lookUp } from './document-turn.ts';
import { assemblePrompt, type Prompt } from './prompt.ts';

export class AnswerRun implements Run {
  readonly answerId: string;
  readonly done: Promise<void>;
  readonly #deps: ChatDependencies;
  readonly #ready: ReadyModel;
  readonly #controller = new AbortController();
  readonly #writer: AnswerWriter;
  readonly #startMs: number;
  #prompt: Prompt | null = null;
  #question = '';
  #sources: readonly Passage[] = [];

  constructor(deps: ChatDependencies, answer: { readonly id: string; readonly conversationId: string }, ready: ReadyModel) {
    this.answerId = answer.id;
    this.#deps = deps;
    this.#ready = ready;
    this.#startMs = deps.clock.nowMs();
    this.#writer = new AnswerWriter(deps, answer, (error) => this.end('failed', toWireError(error)));
    this.done = this.#run();
  }

  end(status: MessageStatus, error: WireError | null): void {
    this.#controller.abort();
    this.#writer.finish({ status, stats: this.#statsSoFar(), error, ...this.#checked() });
  }

  async #run(): Promise<void> {
    try {
      const prompt = this.#begin();
      if (!prompt) return this.#finishAbsent();
      const decoder = this.#ready.model.decoder();
      const { endIds } = this.#ready.model;
      const result = await this.#deps.engine.generate(
        { promptIds: prompt.ids, maxTokens: prompt.maxAnswerTokens, endIds: [...endIds], sampling: this.#sampling() },
        {
          onPrefill: (done, total) => this.#writer.prefill(done, total),
          onTokens: (ids) => {
            const words = ids.filter((id) => !endIds.has(id));
            this.#writer.append(words.map((id) => decoder.push(id)).join(''), words.length);
          },
          onExperts: (activity) => this.#deps.onExperts({ answerId: this.answerId, modelName: this.#ready.model.name, activity }),
        },
        this.#controller.signal,
      );
      if (result.reason !== 'cancelled') this.#writer.append(decoder.flush(), 0);
      this.#writer.finish({ ...endOf(result), stats: this.#stats(prompt, result), ...this.#checked() });
    } catch (error) {
      this.#writer.finish({ status: 'failed', stats: this.#statsSoFar(), error: toWireError(error) });
      if (!isConclaveError(error)) console.error(error);
    }
  }

  /** Null when the documents have nothing to do with the question: then no model is asked. */
  #begin(): Prompt | null {
    const { db, settings, retriever } = this.#deps;
    this.#writer.start(this.#ready.model.name, null);
    const questionId = getMessage(db, this.answerId)?.parentId;
    invariant(questionId, 'an answer has a question');
    const path = listPath(db, questionId);
    const found = lookUp(db, retriever, path);
    if (found?.passages.length === 0) return null;
    if (found) {
      const { prompt, sources } = documentPromptFor(path, found.passages, settings.current, this.#ready);
      this.#prompt = prompt;
      this.#question = found.question;
      this.#sources = sources;
      this.#writer.sources(sources);
    } else this.#prompt = assemblePrompt(path, settings.current, this.#ready);
    this.#writer.prefill(0, this.#prompt.ids.length);
    return this.#prompt;
  }

  /** Nothing for an answer without passages or without text. */
  #checked(): CheckedAnswer | null {
    if (this.#sources.length === 0 || this.#writer.content.trim() === '') return null;
    return checkAnswer(this.#writer.content, this.#question, this.#sources);
  }

  #finishAbsent(): void {
    this.#writer.append(ABSENT_ANSWER, 0);
    this.#writer.finish({ status: 'complete', stats: null, error: null, evidence: NO_EVIDENCE });
  }

  #sampling() {
    const { temperature, topK, topP, minP, seed } = this.#deps.settings.current;
    return { temperature, topK, topP, minP, seed: seed ?? this.#deps.newSeed() };
  }

  #stats({ droppedTurns }: Prompt, result: EngineResult): GenerationStats {
    const { promptTokens, answerTokens, prefillMs, decodeMs, contextUsedTokens } = result;
    const { contextTokens } = this.#ready;
    return { promptTokens, answerTokens, prefillMs, decodeMs, contextUsedTokens, contextTokens, droppedTurns };
  }

  /** For an answer that ended before the engine gave its own numbers. Null when no prompt came about. */
  #statsSoFar(): GenerationStats | null {
    if (!this.#prompt) return null;
    const { ids, droppedTurns } = this.#prompt;
    const answerTokens = this.#writer.tokens;
    const decodeMs = answerTokens > 0 ? this.#writer.decodeMs : 0;
    return {
      promptTokens: ids.length,
      answerTokens,
      prefillMs: this.#deps.clock.nowMs() - this.#startMs - decodeMs,
      decodeMs,
      contextUsedTokens: ids.length + answerTokens,
      contextTokens: this.#ready.contextTokens,
      droppedTurns,
    };
  }
}

function endOf({ reason, contextUsedTokens }: EngineResult): { status: MessageStatus; error: WireError | null } {
  if (reason === 'cancelled') return { status: 'stopped', error: null };
  if (reason !== 'context-full') return { status: 'complete', error: null };
  const message = 'The answer ended because the context is full. Start a new conversation, or choose a longer context.';
  return { status: 'complete', error: toWireError(engineError('engine.context-full', message, { contextUsedTokens })) };
}
