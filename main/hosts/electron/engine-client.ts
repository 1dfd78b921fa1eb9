/**
 * The engine as main sees it, while it runs in the engine host's window: an EngineClient over a message port. The window is started
 * at the first call and again when it is called after it died (how often is for the caller to limit); what ran then rejects.
 */
import type {
  EngineClient,
  EngineGenerateCallbacks,
  EngineGenerateRequest,
  EngineLoaded,
  EngineLoadProgress,
  EngineLoadRequest,
  EngineMachine,
  EngineReset,
  EngineResult,
  EngineSurroundings,
} from '../../contract/engine.ts';
import type { EngineAnswer, EngineCommand, EnginePort, EngineReport } from '../../contract/engine-protocol.ts';
import { fromWireError, serviceError, type WireError } from '../../contract/errors.ts';

/** A running engine host. */
export interface EngineHost {
  readonly port: EnginePort<EngineCommand, EngineReport>;
  /** Resolves with a sentence when it died by itself; never after `end`. */
  readonly died: Promise<string>;
  end(): void;
}

interface Call {
  readonly onReport: (report: EngineReport) => void;
  readonly resolve: (answer: EngineAnswer) => void;
  readonly reject: (error: Error) => void;
}

export class EngineHostClient implements EngineClient {
  readonly #start: () => Promise<EngineHost>;
  readonly #lostListeners = new Set<(error: WireError) => void>();
  readonly #resetListeners = new Set<(reset: EngineReset) => void>();
  readonly #calls = new Map<number, Call>();
  #host: Promise<EngineHost> | null = null;
  #nextCall = 1;

  constructor(start: () => Promise<EngineHost>) {
    this.#start = start;
  }

  async load(
    request: EngineLoadRequest,
    onProgress: (progress: EngineLoadProgress) => void,
    signal: AbortSignal,
  ): Promise<EngineLoaded> {
    const answer = await this.#call(
      (call) => ({ kind: 'load', call, request }),
      signal,
      (report) => {
        if (report.kind === 'progress') onProgress(report.progress);
      },
    );
    return answer as EngineLoaded;
  }

  async generate(request: EngineGenerateRequest, callbacks: EngineGenerateCallbacks, signal: AbortSignal): Promise<EngineResult> {
    const answer = await this.#call(
      (call) => ({ kind: 'generate', call, request }),
      signal,
      (report) => {
        if (report.kind === 'prefill') callbacks.onPrefill(report.done, report.total);
        if (report.kind === 'tokens') callbacks.onTokens(report.ids);
        if (report.kind === 'experts') callbacks.onExperts?.(report.activity);
      },
    );
    return answer as EngineResult;
  }

  async unload(): Promise<void> {
    if (this.#host) await this.#call((call) => ({ kind: 'unload', call }));
  }

  async probe(surroundings: EngineSurroundings, signal: AbortSignal): Promise<EngineMachine> {
    return (await this.#call((call) => ({ kind: 'probe', call, surroundings }), signal)) as EngineMachine;
  }

  async limitRamPool(limitBytes: number): Promise<number> {
    if (!this.#host) return 0;
    return (await this.#call((call) => ({ kind: 'limitRamPool', call, limitBytes }))) as number;
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
    const starting = this.#host;
    if (!starting) return;
    try {
      await this.#call((call) => ({ kind: 'close', call }));
    } finally {
      this.#host = null;
      (await starting).end();
    }
  }

  async #call(
    command: (call: number) => EngineCommand,
    signal?: AbortSignal,
    onReport = (_: EngineReport) => {},
  ): Promise<EngineAnswer> {
    const host = await this.#running();
    const call = this.#nextCall++;
    const cancel = () => host.port.post({ kind: 'cancel', call });
    try {
      return await new Promise<EngineAnswer>((resolve, reject) => {
        this.#calls.set(call, { onReport, resolve, reject });
        host.port.post(command(call));
        signal?.addEventListener('abort', cancel, { once: true });
        if (signal?.aborted) cancel();
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#calls.delete(call);
    }
  }

  #running(): Promise<EngineHost> {
    this.#host ??= this.#startHost();
    return this.#host;
  }

  async #startHost(): Promise<EngineHost> {
    try {
      const host = await this.#start();
      let expected = 0;
      host.port.onMessage((report) => {
        if (report.sequence === expected++) return this.#onReport(report);
        host.end();
        this.#onDeath(`report ${report.sequence} came, ${expected - 1} was next`);
      });
      void host.died.then((reason) => this.#onDeath(reason));
      return host;
    } catch (error) {
      this.#host = null;
      throw error;
    }
  }

  #onReport(report: EngineReport): void {
    if (report.kind === 'lost') {
      for (const listener of this.#lostListeners) listener(report.error);
      return;
    }
    if (report.kind === 'reset') {
      for (const listener of this.#resetListeners) listener(report.reset);
      return;
    }
    const call = this.#calls.get(report.call);
    if (report.kind === 'done') call?.resolve(report.answer);
    else if (report.kind === 'failed') call?.reject(fromWireError(report.error));
    else call?.onReport(report);
  }

  #onDeath(reason: string): void {
    this.#host = null;
    const error = serviceError('engine.crashed', `The engine ended unexpectedly (${reason}). The model must be loaded again.`, {
      reason,
    });
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
    for (const listener of this.#lostListeners)
      listener({ code: 'engine.crashed', message: error.message, details: error.details });
  }
}
