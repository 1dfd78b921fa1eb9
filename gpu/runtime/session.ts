/**
 * One conversation with an Engine at a time: a whole prompt comes in, what the KV cache already holds of it (the common prefix) is
 * kept, the rest is prefilled, the answer's ids go out in batches. Where the engine was lost, the cache is made again on another
 * one, every position by the kernels that made it, and the answer goes on.
 */
import { engineError, isConclaveError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import { CacheHistory } from './cache-history.ts';
import type { Engine, FinishReason, SamplingSettings } from './types.ts';

export interface SessionRequest {
  /** The whole prompt, at least one token. */
  readonly promptIds: ArrayLike<number>;
  readonly maxTokens: number;
  readonly endIds: Iterable<number>;
  readonly sampling: SamplingSettings;
  /** Aborting resolves with `cancelled` after the submission in progress. */
  readonly signal?: AbortSignal;
}

export interface SessionCallbacks {
  /** Prompt tokens whose keys and values are there, kept ones included. */
  onPrefill(done: number, total: number): void;
  /** New ids in order, the end token included. Never called after the promise settled. */
  onTokens(ids: readonly number[]): void;
  /** What came before in this answer is there again on the engine that the session was moved to; what follows is new. */
  onResume?(): void;
  /** Expert ids [MoE layers, K] of the step that gave a token; they are asked for only where this is given. */
  onRouting?(routing: Uint16Array): void;
}

export interface SessionResult {
  readonly reason: FinishReason;
  readonly promptTokens: number;
  /** Prompt tokens that were in the cache already. */
  readonly keptTokens: number;
  /** Sampled tokens, the end token included. */
  readonly answerTokens: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly contextUsedTokens: number;
}

/** Tokens that come faster than this leave together: a page draws no faster, and each batch crosses a process border. */
const BATCH_MS = 16;

/** An answer from its request to its end, over losses. */
interface Answer {
  readonly request: SessionRequest;
  readonly callbacks: SessionCallbacks;
  readonly keptTokens: number;
  readonly startMs: number;
  decodeStartMs: number | null;
  tokens: number;
}

export class EngineSession {
  #engine: Engine;
  readonly #nowMs: () => number;
  /** The ids of the sequence; as many as the history has are in the cache, or have to be there before they are built on. */
  #sequence: number[] = [];
  readonly #history = new CacheHistory();
  #answer: Answer | null = null;
  #isRunning = false;

  constructor(engine: Engine, nowMs: () => number = () => performance.now()) {
    this.#engine = engine;
    this.#nowMs = nowMs;
  }

  /** One at a time. Rejects with `engine.context-full` when the prompt leaves no room for a single token, else as the engine does. */
  async generate(request: SessionRequest, callbacks: SessionCallbacks): Promise<SessionResult> {
    invariant(!this.#isRunning, 'a session generates one answer at a time');
    const total = request.promptIds.length;
    invariant(total > 0, 'a prompt has at least one token');
    if (total >= this.#engine.contextTokens)
      throw engineError(
        'engine.context-full',
        `The prompt has ${total} tokens; a context of ${this.#engine.contextTokens} has no room for an answer to it. Shorten it or choose a longer context.`,
        { promptTokens: total, contextTokens: this.#engine.contextTokens },
      );
    const startMs = this.#nowMs();
    const keptTokens = this.#keep(request.promptIds);
    this.#answer = { request, callbacks, keptTokens, startMs, decodeStartMs: null, tokens: 0 };
    return this.#run(this.#answer);
  }

  /**
   * From now on on `engine`, which is empty and has the model, the context and the numeric settings of the one before. What was in the cache is made again
   * before something is built on it: by the next `resume` or `generate`.
   */
  moveTo(engine: Engine): void {
    invariant(!this.#isRunning, 'a session cannot be moved while it generates');
    invariant(
      engine.position === 0 && engine.contextTokens === this.#engine.contextTokens,
      'a session is moved to an empty engine',
    );
    this.#engine = engine;
  }

  /** Goes on with the answer whose `generate` was rejected, where it was; settles as that would have. */
  resume(): Promise<SessionResult> {
    invariant(!this.#isRunning && this.#answer, 'there is an answer to go on with');
    return this.#run(this.#answer);
  }

  /** Forgets the sequence; the next prompt is read from its first token on. */
  reset(): void {
    invariant(!this.#isRunning, 'a session cannot be reset while it generates');
    this.#engine.truncate(0);
    this.#history.truncate(0);
    this.#sequence = [];
    this.#answer = null;
  }

  async #run(answer: Answer): Promise<SessionResult> {
    this.#isRunning = true;
    try {
      const isRead = answer.decodeStartMs === null ? await this.#prefill(answer) : await this.#restore(answer);
      if (!isRead) return this.#result(answer, 'cancelled');
      answer.decodeStartMs ??= this.#nowMs();
      return this.#result(answer, await this.#decode(answer));
    } finally {
      this.#isRunning = false;
    }
  }

  #result({ request, keptTokens, startMs, decodeStartMs, tokens }: Answer, reason: FinishReason): SessionResult {
    this.#answer = null;
    return {
      reason,
      promptTokens: request.promptIds.length,
      keptTokens,
      answerTokens: tokens,
      prefillMs: (decodeStartMs ?? this.#nowMs()) - startMs,
      decodeMs: decodeStartMs === null ? 0 : this.#nowMs() - decodeStartMs,
      contextUsedTokens: this.#history.tokens,
    };
  }

  async #decode(answer: Answer): Promise<FinishReason> {
    const { request, callbacks } = answer;
    const batch = new Batch(callbacks, this.#nowMs);
    const tokens = this.#engine.generate({
      maxTokens: request.maxTokens - answer.tokens,
      sampling: request.sampling,
      endIds: new Set(request.endIds),
      signal: request.signal,
      routing: callbacks.onRouting !== undefined,
    });
    try {
      for (;;) {
        const next = await tokens.next();
        if (next.done) return next.value;
        answer.tokens++;
        this.#sequence.push(next.value.id);
        this.#history.add('decode', next.value.position);
        batch.add(next.value.id);
        if (next.value.routing) callbacks.onRouting?.(next.value.routing);
      }
    } catch (error) {
      if (isCancellation(error, request.signal)) return 'cancelled';
      throw error;
    } finally {
      batch.flush();
    }
  }

  /** Cuts the cache back to what it shares with the prompt; at least one token is always fed anew, generation starts from it. */
  #keep(promptIds: ArrayLike<number>): number {
    const most = Math.min(this.#history.tokens, this.#sequence.length, promptIds.length - 1);
    let kept = 0;
    while (kept < most && this.#sequence[kept] === promptIds[kept]) kept++;
    this.#history.truncate(kept);
    this.#sequence = Array.from(promptIds);
    return kept;
  }

  /** False when it was cancelled. */
  async #prefill({ request: { signal }, callbacks: { onPrefill }, keptTokens: kept }: Answer): Promise<boolean> {
    const total = this.#sequence.length;
    onPrefill(kept, total);
    if (signal?.aborted) return false;
    this.#history.truncate(kept);
    try {
      await this.#rebuild(signal);
      this.#engine.truncate(kept);
      await this.#engine.prefill(this.#sequence.slice(kept), {
        signal,
        onProgress: (done) => {
          this.#history.add('prefill', Math.min(kept + done, total - 1));
          onPrefill(kept + done, total);
        },
      });
    } catch (error) {
      if (isCancellation(error, signal)) return false;
      throw error;
    }
    return !signal?.aborted;
  }

  /** All that the answer so far stands on is there again, its last token kept back. False when it was cancelled. */
  async #restore({ request: { signal }, callbacks }: Answer): Promise<boolean> {
    if (signal?.aborted) return false;
    try {
      await this.#rebuild(signal);
      callbacks.onResume?.();
    } catch (error) {
      if (isCancellation(error, signal)) return false;
      throw error;
    }
    return !signal?.aborted;
  }

  /** Brings the cache to where the history is, the token behind it kept back; nothing where it is there. */
  async #rebuild(signal: AbortSignal | undefined): Promise<void> {
    const from = this.#engine.position;
    if (from >= this.#history.tokens) return;
    this.#engine.truncate(from);
    await this.#engine.prefill(this.#sequence.slice(from, from + 1)); // kept back: nothing is computed
    for (const { by, from: first, to } of this.#history.runs(from)) {
      const tokens = this.#sequence.slice(first + 1, to + 1);
      await (by === 'decode' ? this.#engine.replay(tokens, { signal }) : this.#engine.prefill(tokens, { signal }));
    }
  }
}

class Batch {
  readonly #callbacks: SessionCallbacks;
  readonly #nowMs: () => number;
  #ids: number[] = [];
  #flushedAtMs = -Infinity;

  constructor(callbacks: SessionCallbacks, nowMs: () => number) {
    this.#callbacks = callbacks;
    this.#nowMs = nowMs;
  }

  add(id: number): void {
    this.#ids.push(id);
    if (this.#nowMs() - this.#flushedAtMs >= BATCH_MS) this.flush();
  }

  flush(): void {
    if (this.#ids.length === 0) return;
    const ids = this.#ids;
    this.#ids = [];
    this.#flushedAtMs = this.#nowMs();
    this.#callbacks.onTokens(ids);
  }
}

function isCancellation(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true && (error === signal.reason || (isConclaveError(error) && error.code === 'engine.cancelled'));
}
