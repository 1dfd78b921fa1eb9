/**
 * One conversation with an Engine at a time: a whole prompt comes in, what the KV cache already holds of it (the common prefix) is
 * kept, the rest is prefilled, the answer's ids go out in batches. Every host's EngineClient rests on this.
 */
import { engineError, isConclaveError } from '../errors.ts';
import { invariant } from '../invariant.ts';
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

export class EngineSession {
  readonly #engine: Engine;
  readonly #nowMs: () => number;
  /** The ids of the sequence; its first `engine.position` are in the cache. */
  #sequence: number[] = [];
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
    this.#isRunning = true;
    try {
      return await this.#run(request, callbacks);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Forgets the sequence; the next prompt is read from its first token on. */
  reset(): void {
    invariant(!this.#isRunning, 'a session cannot be reset while it generates');
    this.#engine.truncate(0);
    this.#sequence = [];
  }

  async #run(request: SessionRequest, callbacks: SessionCallbacks): Promise<SessionResult> {
    const startMs = this.#nowMs();
    const keptTokens = this.#keep(request.promptIds);
    let answerTokens = 0;
    let decodeStartMs: number | null = null;
    const result = (reason: FinishReason): SessionResult => ({
      reason,
      promptTokens: request.promptIds.length,
      keptTokens,
      answerTokens,
      prefillMs: (decodeStartMs ?? this.#nowMs()) - startMs,
      decodeMs: decodeStartMs === null ? 0 : this.#nowMs() - decodeStartMs,
      contextUsedTokens: this.#engine.position,
    });
    if (!(await this.#prefill(request, keptTokens, callbacks))) return result('cancelled');
    decodeStartMs = this.#nowMs();
    const batch = new Batch(callbacks, this.#nowMs);
    const tokens = this.#engine.generate({
      maxTokens: request.maxTokens,
      sampling: request.sampling,
      endIds: new Set(request.endIds),
      signal: request.signal,
      routing: callbacks.onRouting !== undefined,
    });
    try {
      for (;;) {
        const next = await tokens.next();
        if (next.done) return result(next.value);
        answerTokens++;
        this.#sequence.push(next.value.id);
        batch.add(next.value.id);
        if (next.value.routing) callbacks.onRouting?.(next.value.routing);
      }
    } catch (error) {
      if (isCancellation(error, request.signal)) return result('cancelled');
      throw error;
    } finally {
      batch.flush();
    }
  }

  /** Cuts the cache back to what it shares with the prompt; at least one token is always fed anew, generation starts from it. */
  #keep(promptIds: ArrayLike<number>): number {
    const most = Math.min(this.#engine.position, this.#sequence.length, promptIds.length - 1);
    let kept = 0;
    while (kept < most && this.#sequence[kept] === promptIds[kept]) kept++;
    this.#engine.truncate(kept);
    this.#sequence = Array.from(promptIds);
    return kept;
  }

  /** False when it was cancelled. */
  async #prefill({ promptIds, signal }: SessionRequest, kept: number, { onPrefill }: SessionCallbacks): Promise<boolean> {
    const total = promptIds.length;
    onPrefill(kept, total);
    if (signal?.aborted) return false;
    try {
      await this.#engine.prefill(this.#sequence.slice(kept), {
        signal,
        onProgress: (done) => onPrefill(kept + done, total),
      });
    } catch (error) {
      if (isCancellation(error, signal)) return false;
      throw error;
    }
    return !signal?.aborted;
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
