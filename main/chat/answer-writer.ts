/**
 * One answer's text on its way to the page (at once) and to the database (in small commits: every commit waits for the disk, so
 * pieces are gathered for a moment). After `finish` nothing is taken any more: tokens that come late are ignored.
 */
import { toWireError, type WireError } from '../contract/errors.ts';
import type { Evidence, Passage } from '../contract/documents.ts';
import type { GenerationStats, MessageStatus } from '../contract/types.ts';
import type { WriteDb } from '../database/handles.ts';
import { finishMessage, setContent, setSources, setStreaming } from '../database/messages.ts';
import type { Clock } from '../clock.ts';
import type { EventBus } from '../event-bus.ts';

/** What a crash may lose: a quarter of a second, or so many tokens of a fast model. */
const COMMIT_EVERY_MS = 250;
const COMMIT_EVERY_TOKENS = 64;

export interface AnswerEnd {
  readonly status: MessageStatus;
  readonly stats: GenerationStats | null;
  readonly error: WireError | null;
  readonly evidence?: Evidence | null;
  /** The whole text, where it is not what was appended: citations that point nowhere are taken out. */
  readonly content?: string;
}

export class AnswerWriter {
  readonly #db: WriteDb;
  readonly #events: EventBus;
  readonly #clock: Clock;
  readonly #answerId: string;
  readonly #conversationId: string;
  readonly #onCommitFailed: (error: unknown) => void;
  readonly #startMs: number;
  #content = '';
  #tokens = 0;
  #uncommittedTokens = 0;
  #decodeStartMs: number;
  #cancelTimer: (() => void) | null = null;
  #isFinished = false;

  constructor(
    services: { readonly db: WriteDb; readonly events: EventBus; readonly clock: Clock },
    answer: { readonly id: string; readonly conversationId: string },
    onCommitFailed: (error: unknown) => void,
  ) {
    this.#db = services.db;
    this.#events = services.events;
    this.#clock = services.clock;
    this.#answerId = answer.id;
    this.#conversationId = answer.conversationId;
    this.#onCommitFailed = onCommitFailed;
    this.#startMs = services.clock.nowMs();
    this.#decodeStartMs = this.#startMs;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  get content(): string {
    return this.#content;
  }

  get tokens(): number {
    return this.#tokens;
  }

  /** Until the prompt was read, and since then; without a token it is still being read. */
  get times(): { readonly prefillMs: number; readonly decodeMs: number } {
    const nowMs = this.#clock.nowMs();
    const decodeMs = this.#tokens > 0 ? nowMs - this.#decodeStartMs : 0;
    return { prefillMs: nowMs - this.#startMs - decodeMs, decodeMs };
  }

  /** Commits and tells who writes. */
  start(modelName: string, remoteHost: string | null): void {
    setStreaming(this.#db, this.#answerId, modelName, remoteHost);
    const ids = { answerId: this.#answerId, conversationId: this.#conversationId };
    this.#events.emit('answer.started', { ...ids, modelName, remoteHost });
  }

  prefill(done: number, total: number): void {
    if (this.#isFinished) return;
    this.#decodeStartMs = this.#clock.nowMs();
    this.#events.emit('answer.prefill', { answerId: this.#answerId, done, total });
  }

  /** The passages that the answer is given: committed and told before its first word. */
  sources(sources: readonly Passage[]): void {
    if (this.#isFinished || sources.length === 0) return;
    setSources(this.#db, this.#answerId, sources);
    this.#events.emit('answer.sources', { answerId: this.#answerId, conversationId: this.#conversationId, sources });
  }

  /** `text` may be empty: a token that completes no character still counts. */
  append(text: string, nTokens: number): void {
    if (this.#isFinished) return;
    const offset = this.#content.length;
    this.#content += text;
    this.#tokens += nTokens;
    this.#uncommittedTokens += nTokens;
    const elapsedMs = this.#clock.nowMs() - this.#decodeStartMs;
    const ids = { answerId: this.#answerId, conversationId: this.#conversationId };
    if (text !== '') this.#events.emit('answer.text', { ...ids, offset, text, tokens: this.#tokens, elapsedMs });
    if (this.#uncommittedTokens >= COMMIT_EVERY_TOKENS) this.#commit();
    else this.#cancelTimer ??= this.#clock.after(COMMIT_EVERY_MS, () => this.#commit());
  }

  /** Commits everything, then tells. When even that cannot be written, the answer is told as failed with the reason. */
  finish(end: AnswerEnd): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#stopTimer();
    this.#events.emit('answer.finished', {
      answerId: this.#answerId,
      conversationId: this.#conversationId,
      ...this.#committed({ evidence: null, content: this.#content, ...end }),
    });
  }

  #committed(end: Required<AnswerEnd>): Required<AnswerEnd> {
    try {
      finishMessage(this.#db, this.#answerId, end);
      return end;
    } catch (error) {
      return { ...end, status: 'failed', error: toWireError(error) };
    }
  }

  #commit(): void {
    this.#stopTimer();
    this.#uncommittedTokens = 0;
    try {
      setContent(this.#db, this.#answerId, this.#content);
    } catch (error) {
      this.#onCommitFailed(error);
    }
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
  }
}
