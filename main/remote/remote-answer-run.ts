/** One answer that a server writes: the same writer, commits and ends as the engine's (answer-run.ts); only the source of the text differs. */
import { isConclaveError } from '../../gpu/errors.ts';
import { lookUp } from '../chat/document-turn.ts';
import { answerFull } from '../chat/answer-full.ts';
import { AnswerWriter } from '../chat/answer-writer.ts';
import type { ChatDependencies } from '../chat/chat.ts';
import type { Run } from '../chat/chat-model.ts';
import { Grounding } from '../chat/grounding.ts';
import { toWireError, type WireError } from '../contract/errors.ts';
import type { OutgoingPassage } from '../contract/remote.ts';
import type { GenerationStats, MessageStatus } from '../contract/types.ts';
import { streamCompletion, type CompletionResult, type CompletionTarget } from './completion.ts';
import { outgoingPassages, remotePrompt, type RemotePrompt } from './remote-prompt.ts';

export interface AnsweringServer {
  readonly modelName: string;
  readonly host: string;
  readonly contextTokens: number | null;
  /** Address and key. Throws `remote.missing` or `remote.key`. */
  target(): CompletionTarget;
  /** Throws `remote.consent` when one of these may not be sent. */
  checkOutgoing(answerId: string, passages: readonly OutgoingPassage[]): void;
}

export class RemoteAnswerRun implements Run {
  readonly answerId: string;
  readonly done: Promise<void>;
  readonly #chat: ChatDependencies;
  readonly #server: AnsweringServer;
  readonly #controller = new AbortController();
  readonly #writer: AnswerWriter;
  readonly #grounding: Grounding;
  #prompt: RemotePrompt | null = null;

  constructor(chat: ChatDependencies, answer: { readonly id: string; readonly conversationId: string }, server: AnsweringServer) {
    this.answerId = answer.id;
    this.#chat = chat;
    this.#server = server;
    this.#writer = new AnswerWriter(chat, answer, (error) => this.end('failed', toWireError(error)));
    this.#grounding = new Grounding(this.#writer);
    this.done = this.#run();
  }

  end(status: MessageStatus, error: WireError | null): void {
    this.#controller.abort();
    this.#writer.finish({ status, stats: this.#stats(null), error, ...this.#grounding.checked() });
  }

  async #run(): Promise<void> {
    try {
      const prompt = this.#begin();
      if (!prompt) return this.#grounding.finishAbsent();
      const { temperature, topP, seed } = this.#chat.settings.current;
      let hasBegun = false;
      const result = await streamCompletion(
        this.#server.target(),
        { model: this.#server.modelName, messages: prompt.messages, maxTokens: prompt.maxAnswerTokens, temperature, topP, seed },
        (text) => {
          // How long the server read cannot be seen; the answer's clock starts with its first piece.
          if (!hasBegun) this.#writer.prefill(prompt.estimatedTokens, prompt.estimatedTokens);
          hasBegun = true;
          this.#writer.append(text, 1);
        },
        this.#controller.signal,
      );
      const stats = this.#stats(result);
      const error = result.isCut ? answerFull(stats?.answerTokens ?? prompt.maxAnswerTokens, this.#server.host) : null;
      this.#writer.finish({ status: 'complete', stats, error, ...this.#grounding.checked() });
    } catch (error) {
      this.#writer.finish({ status: 'failed', stats: this.#stats(null), error: toWireError(error) });
      if (!isConclaveError(error) && !this.#controller.signal.aborted) console.error(error);
    }
  }

  /** Null when the documents have nothing to do with the question: then nobody is asked. Throws `remote.consent` before anything is sent. */
  #begin(): RemotePrompt | null {
    const { modelName, host, contextTokens } = this.#server;
    const { path, question, passages } = lookUp(this.#chat, this.answerId);
    const isAbsent = passages?.length === 0;
    this.#writer.start(modelName, isAbsent ? null : host);
    if (isAbsent) return null;
    const prompt = remotePrompt(path, this.#chat.settings.current, contextTokens, passages);
    this.#server.checkOutgoing(this.answerId, outgoingPassages(path, prompt, host));
    this.#prompt = prompt;
    this.#grounding.begin(question, prompt.sources);
    this.#writer.prefill(prompt.estimatedTokens, prompt.estimatedTokens);
    return prompt;
  }

  /** The server's numbers where it gave some, else estimates: one token a piece. Null when no prompt came about. */
  #stats(result: CompletionResult | null): GenerationStats | null {
    if (!this.#prompt) return null;
    const promptTokens = result?.usage?.promptTokens ?? this.#prompt.estimatedTokens;
    const answerTokens = result?.usage?.answerTokens ?? this.#writer.tokens;
    return {
      promptTokens,
      answerTokens,
      ...this.#writer.times,
      contextUsedTokens: promptTokens + answerTokens,
      contextTokens: this.#server.contextTokens,
      droppedTurns: this.#prompt.droppedTurns,
    };
  }
}
