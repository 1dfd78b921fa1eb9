/**
 * An engine that acts out a named scenario, token by token, by the clock it is given. Its tokens are the UTF-16 units of the answer, as the
 * fake model's (fake-models.ts) are; id 0 ends an answer. Serves the services' tests and, with the real clock, whole hosts.
 */
import { engineError } from '../../gpu/errors.ts';
import type {
  EngineClient,
  EngineGenerateCallbacks,
  EngineGenerateRequest,
  EngineLoadProgress,
  EngineLoadRequest,
  EngineLoaded,
  EngineMachine,
  EngineReset,
  EngineResult,
} from '../../main/contract/engine.ts';
import type { ExpertActivity } from '../../main/contract/experts.ts';
import { toWireError, type WireError } from '../../main/contract/errors.ts';
import type { Clock } from '../../main/clock.ts';

export type FakeScenario =
  | 'plain' // loads, answers, ends
  | 'slow' // a token per second
  | 'deaf' // as slow, and hears of a cancel two tokens late
  | 'out-of-memory' // loading fails
  | 'device-reset' // the device fails after four tokens, and the answer goes on a second later
  | 'device-lost' // lost after four tokens, once
  | 'always-lost' // lost after four tokens, each time
  | 'error' // fails after four tokens
  | 'empty' // the first token is the end
  | 'context-full'; // ends after four tokens

export const FAKE_ADAPTER = { description: 'Fake adapter', software: true };
const TOKEN_MS = 10;
const RESET_MS = 1000;
const BREAKS_AFTER = 4;

export class FakeEngine implements EngineClient {
  readonly #clock: Clock;
  readonly #scenario: FakeScenario;
  readonly #resetListeners = new Set<(reset: EngineReset) => void>();
  readonly #lostListeners = new Set<(error: WireError) => void>();
  #hasBeenLost = false;
  #isGenerating = false;
  /** What it was asked, in order: `load m`, `generate`, `unload`, `close`. */
  readonly calls: string[] = [];
  /** The prompts as text. */
  readonly prompts: string[] = [];
  readonly requests: EngineGenerateRequest[] = [];
  /** What it was asked to load. */
  readonly loads: EngineLoadRequest[] = [];
  contextTokens = 400;
  /** Called when an answer is asked for, before anything else. */
  onGenerate = (): void => {};
  /** What it tells of its experts with each token; null for a dense model. */
  experts: ExpertActivity | null = null;
  /** Until the prompt is read, and for each token (a second where the scenario says so). */
  prefillMs = TOKEN_MS;
  tokenMs = TOKEN_MS;
  /** The text of the next answers. */
  answer = 'Paris is the capital of France.';

  constructor(clock: Clock, scenario: FakeScenario = 'plain') {
    this.#clock = clock;
    this.#scenario = scenario;
  }

  async load(
    request: EngineLoadRequest,
    onProgress: (progress: EngineLoadProgress) => void,
    signal: AbortSignal,
  ): Promise<EngineLoaded> {
    this.calls.push(`load ${request.modelId}`);
    this.loads.push(request);
    for (const phase of ['device', 'pipelines', 'weights'] as const) {
      onProgress({ phase, done: 1, total: 2 });
      await this.#wait(TOKEN_MS);
      signal.throwIfAborted();
      if (phase === 'weights' && this.#scenario === 'out-of-memory')
        throw engineError('gpu.out-of-memory', 'The model needs 8 GiB of GPU memory; 4 GiB could be had.', {
          neededBytes: 8 * 2 ** 30,
        });
      onProgress({ phase, done: 2, total: 2 });
    }
    const contextTokens = Math.min(request.contextTokens ?? Infinity, this.contextTokens);
    return { adapter: FAKE_ADAPTER, contextTokens, plan: null, measured: null };
  }

  async generate(request: EngineGenerateRequest, callbacks: EngineGenerateCallbacks, signal: AbortSignal): Promise<EngineResult> {
    if (this.#isGenerating) throw new Error('two answers at once');
    this.#isGenerating = true;
    this.onGenerate();
    this.calls.push('generate');
    this.requests.push(request);
    this.prompts.push(String.fromCharCode(...request.promptIds));
    try {
      return await this.#play(request, callbacks, signal);
    } finally {
      this.#isGenerating = false;
    }
  }

  async probe(): Promise<EngineMachine> {
    const { description: adapter } = FAKE_ADAPTER;
    const rates = {
      diskBytesPerSecond: 1e9,
      uploadBytesPerSecond: 1e9,
      readbackMs: 1,
      computeBytesPerSecond: 1e9,
      dispatchMs: 0.1,
    };
    const links = { adapter, tensorType: 'Q4_K', ...rates };
    return { adapter: FAKE_ADAPTER, unifiedMemory: true, gpuFreeBytes: 2 ** 32, maxBindingBytes: 2 ** 27, links };
  }

  async limitRamPool(): Promise<number> {
    return 0;
  }

  async unload(): Promise<void> {
    this.calls.push('unload');
  }

  onReset(listener: (reset: EngineReset) => void): () => void {
    this.#resetListeners.add(listener);
    return () => this.#resetListeners.delete(listener);
  }

  onLost(listener: (error: WireError) => void): () => void {
    this.#lostListeners.add(listener);
    return () => this.#lostListeners.delete(listener);
  }

  async close(): Promise<void> {
    this.calls.push('close');
  }

  async #play(request: EngineGenerateRequest, callbacks: EngineGenerateCallbacks, signal: AbortSignal): Promise<EngineResult> {
    const promptTokens = request.promptIds.length;
    callbacks.onPrefill(0, promptTokens);
    await this.#wait(this.prefillMs);
    callbacks.onPrefill(promptTokens, promptTokens);
    const ids = this.#scenario === 'empty' ? [0] : [...this.answer.split('').map((unit) => unit.charCodeAt(0)), 0];
    let answerTokens = 0;
    let tokensAfterAbort = 0;
    const result = (reason: EngineResult['reason']): EngineResult => ({
      reason,
      promptTokens,
      answerTokens,
      prefillMs: this.prefillMs,
      decodeMs: answerTokens * this.tokenMs,
      contextUsedTokens: promptTokens + answerTokens,
    });
    for (const id of ids) {
      await this.#wait(this.#scenario === 'slow' || this.#scenario === 'deaf' ? 1000 : this.tokenMs);
      if (signal.aborted && (this.#scenario !== 'deaf' || tokensAfterAbort++ === 2)) return result('cancelled');
      if (answerTokens === BREAKS_AFTER) {
        if (this.#scenario === 'device-reset') await this.#reset();
        if (this.#scenario === 'context-full') return result('context-full');
        this.#break();
      }
      answerTokens++;
      callbacks.onTokens([id]);
      if (this.experts) callbacks.onExperts?.({ ...this.experts, tokens: answerTokens });
      if (request.endIds.includes(id)) return result('end-token');
      if (answerTokens === request.maxTokens) return result('max-tokens');
    }
    return result('max-tokens');
  }

  async #reset(): Promise<void> {
    const tell = (reset: EngineReset) => this.#resetListeners.forEach((listener) => listener(reset));
    tell({ state: 'begun', error: toWireError(engineError('gpu.device-lost', 'The GPU was lost.')) });
    await this.#wait(RESET_MS);
    tell({ state: 'done', loaded: { adapter: FAKE_ADAPTER, contextTokens: this.contextTokens, plan: null, measured: null } });
  }

  #break(): void {
    if (this.#scenario === 'error') throw engineError('gpu.shader', 'The driver refused a program.');
    if (this.#scenario !== 'always-lost' && (this.#scenario !== 'device-lost' || this.#hasBeenLost)) return;
    this.#hasBeenLost = true;
    const error = engineError('gpu.device-lost', 'The GPU was lost.');
    for (const listener of this.#lostListeners) listener(toWireError(error));
    throw error;
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(delayMs, resolve));
  }
}
