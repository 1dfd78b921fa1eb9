/**
 * One answer from prompt to end: passages, prompt assembly, the engine, ids to text, and what the passages say about the answer. It may end
 * early (stopped, failed); `done` waits for the engine.
 */
import { isConclaveError, engineError } from '../../gpu/errors.ts';
import type { EngineResult } from '../contract/engine.ts';
import { toWireError, type WireError } from '../contract/errors.ts';
import { APP_SAMPLING, chooseSampling } from '../contract/sampling.ts';
import type { GenerationStats, MessageStatus } from '../contract/types.ts';
import { answerFull } from './answer-full.ts';
import { AnswerWriter } from './answer-writer.ts';
import type { ChatDependencies } from './chat.ts';
import type { ReadyModel, Run } from './chat-model.ts';
import { documentPromptFor, lookUp } from './document-turn.ts';
import { Grounding } from './grounding.ts';
import { assemblePrompt, type Prompt } from './prompt.ts';

export class AnswerRun implements Run {
  readonly answerId: string;
  readonly done: Promise<void>;
  readonly #deps: ChatDependencies;
  readonly #ready: ReadyModel;
  readonly #controller = new AbortController();
  readonly #writer: AnswerWriter;
  readonly #grounding: Grounding;
  #prompt: Prompt | null = null;

  constructor(deps: ChatDependencies, answer: { readonly id: string; readonly conversationId: string }, ready: ReadyModel) {
    this.answerId = answer.id;
    this.#deps = deps;
    this.#ready = ready;
    this.#writer = new AnswerWriter(deps, answer, (error) => this.end('failed', toWireError(error)));
    this.#grounding = new Grounding(this.#writer);
    this.done = this.#run();
  }

  end(status: MessageStatus, error: WireError | null): void {
    this.#controller.abort();
    this.#writer.finish({ status, stats: this.#statsSoFar(), error, ...this.#grounding.checked() });
  }

  async #run(): Promise<void> {
    try {
      const prompt = this.#begin();
      if (!prompt) return this.#grounding.finishAbsent();
      const decoder = this.#ready.model.decoder();
      const { endIds } = this.#ready.model;
      let { opening } = prompt;
      const result = await this.#deps.engine.generate(
        { promptIds: prompt.ids, maxTokens: prompt.maxAnswerTokens, endIds: [...endIds], sampling: this.#sampling() },
        {
          onPrefill: (done, total) => this.#writer.prefill(done, total),
          onTokens: (ids) => {
            const words = ids.filter((id) => !endIds.has(id));
            this.#writer.append(opening + words.map((id) => decoder.push(id)).join(''), words.length);
            opening = '';
          },
          onExperts: (activity) => this.#deps.onExperts({ answerId: this.answerId, modelName: this.#ready.model.name, activity }),
        },
        this.#controller.signal,
      );
      if (result.reason !== 'cancelled') this.#writer.append(decoder.flush(), 0);
      this.#writer.finish({ ...endOf(result), stats: this.#stats(prompt, result), ...this.#grounding.checked() });
    } catch (error) {
      this.#writer.finish({ status: 'failed', stats: this.#statsSoFar(), error: toWireError(error) });
      if (!isConclaveError(error)) console.error(error);
    }
  }

  /** Null when the documents have nothing to do with the question: then no model is asked. */
  #begin(): Prompt | null {
    const { current: settings } = this.#deps.settings;
    this.#writer.start(this.#ready.model.name, null);
    const { path, question, passages } = lookUp(this.#deps, this.answerId);
    if (passages?.length === 0) return null;
    if (passages) {
      const { prompt, sources } = documentPromptFor(path, passages, settings, this.#ready);
      this.#prompt = prompt;
      this.#grounding.begin(question, sources);
    } else this.#prompt = assemblePrompt(path, settings, this.#ready);
    this.#writer.prefill(0, this.#prompt.ids.length);
    return this.#prompt;
  }

  #sampling() {
    const { current: settings } = this.#deps.settings;
    const sampling = chooseSampling([settings, this.#ready.model.sampling], APP_SAMPLING);
    return { ...sampling, seed: settings.seed ?? this.#deps.newSeed() };
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
    return {
      promptTokens: ids.length,
      answerTokens,
      ...this.#writer.times,
      contextUsedTokens: ids.length + answerTokens,
      contextTokens: this.#ready.contextTokens,
      droppedTurns,
    };
  }
}

function endOf({ reason, answerTokens, contextUsedTokens }: EngineResult): { status: MessageStatus; error: WireError | null } {
  if (reason === 'cancelled') return { status: 'stopped', error: null };
  if (reason === 'max-tokens') return { status: 'complete', error: answerFull(answerTokens) };
  if (reason !== 'context-full') return { status: 'complete', error: null };
  const message = 'The answer ended because the context is full. Start a new conversation, or choose a longer context.';
  return { status: 'complete', error: toWireError(engineError('engine.context-full', message, { contextUsedTokens })) };
}
