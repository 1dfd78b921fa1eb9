/**
 * The model that answers: loads it into the engine, says how far it is, loads it again after the device was lost for good (a few times; once
 * in an answer the engine gets over it itself). Only the newest wish counts: choosing another model while one loads ends that load.
 */
import type { EngineClient, EngineLoaded, EngineReset } from '../contract/engine.ts';
import { expertsUsedBy } from '../contract/experts-used.ts';
import { toWireError, type WireError } from '../contract/errors.ts';
import type { EngineStatus, KvType } from '../contract/types.ts';
import type { Answerer, RemoteAnswerer } from '../chat/chat-model.ts';
import type { EventBus } from '../event-bus.ts';
import type { ExpertsService } from '../experts/experts.ts';
import { kvTypeFor } from './kv-type.ts';
import type { ModelFiles } from './model-files.ts';

/** After so many losses without an answer in between it is not chance any more. */
const MOST_RESTARTS = 3;

export interface LoadableModel {
  readonly id: string;
  readonly path: string;
}

/** A model on a server: nothing is loaded, and nobody is contacted before the first question. */
export interface RemoteModelChoice {
  readonly id: string;
  readonly remote: RemoteAnswerer & { readonly contextTokens: number | null };
}

type Choice = LoadableModel | RemoteModelChoice;

export interface ModelSessionDependencies {
  readonly engine: EngineClient;
  readonly files: ModelFiles;
  readonly events: EventBus;
  readonly contextTokens: () => number | null;
  readonly expertsUsed: () => number | null;
  readonly kvType: () => KvType;
  readonly experts: Pick<ExpertsService, 'planning' | 'loaded' | 'unloaded'>;
  /** Ends the answer that is being written, as failed where `error` is why, and resolves when the engine is free. */
  readonly freeEngine: (error: WireError | null) => Promise<void>;
  readonly onReady: () => void;
  readonly onFailed: () => void;
}

export class ModelSession {
  readonly #deps: ModelSessionDependencies;
  #status: EngineStatus = { state: 'idle' };
  #ready: Answerer | null = null;
  #wanted: Choice | null = null;
  #load: AbortController | null = null;
  #loading: Promise<void> = Promise.resolve();
  #restarts = 0;

  constructor(deps: ModelSessionDependencies) {
    this.#deps = deps;
    deps.engine.onReset((reset) => this.#onReset(reset));
    deps.engine.onLost((error) => this.#onLost(error));
  }

  get status(): EngineStatus {
    return this.#status;
  }

  get ready(): Answerer | null {
    return this.#ready;
  }

  /** Why no model can answer; null while one can, is loading, or none is chosen. */
  get problem(): WireError | null {
    return this.#status.state === 'failed' ? this.#status.error : null;
  }

  /** An answer came to its end: losses before it are forgotten. */
  countsAsHealthy(): void {
    this.#restarts = 0;
  }

  /** Loads `model`, or unloads when null. Settles when that is done or a newer wish took over; never rejects. */
  choose(model: Choice | null): Promise<void> {
    this.#restarts = 0;
    return this.#start(model);
  }

  /** The chosen model cannot even be begun with (its file is gone, say). */
  refuse(modelId: string, error: unknown): void {
    this.#wanted = null;
    this.#fail(modelId, toWireError(error));
  }

  reload(): Promise<void> {
    return this.#start(this.#wanted);
  }

  /** Resolves when whatever load is under way has ended. */
  async close(): Promise<void> {
    this.#wanted = null;
    this.#load?.abort();
    await this.#loading;
    this.#ready = null;
  }

  #start(model: Choice | null, lost: WireError | null = null): Promise<void> {
    this.#wanted = model;
    this.#load?.abort();
    const controller = new AbortController();
    this.#load = controller;
    this.#ready = null;
    this.#set(model ? { state: 'loading', modelId: model.id, phase: 'file', done: 0, total: 1 } : { state: 'idle' });
    const before = this.#loading;
    this.#loading = (async () => {
      await before;
      if (controller.signal.aborted) return;
      try {
        await this.#deps.freeEngine(lost);
        this.#deps.experts.unloaded();
        if (model && 'path' in model) await this.#loadModel(model, controller.signal);
        else await this.#deps.engine.unload();
        if (model && 'remote' in model && !controller.signal.aborted) this.#useRemote(model);
      } catch (error) {
        if (!controller.signal.aborted) this.#fail(model?.id ?? null, toWireError(error));
      }
    })();
    return this.#loading;
  }

  async #loadModel(model: LoadableModel, signal: AbortSignal): Promise<void> {
    const { inspected, chat } = await this.#deps.files.open(model.path, model.id, signal);
    signal.throwIfAborted();
    const experts = expertsUsedBy(inspected.facts, this.#deps.expertsUsed());
    const kv = kvTypeFor(inspected.headWidth, this.#deps.kvType());
    const notice = [experts.notice, kv.notice].filter((text) => text !== null).join(' ') || null;
    const loaded = await this.#deps.engine.load(
      {
        modelId: model.id,
        paths: inspected.parts.map((part) => part.path),
        contextTokens: this.#deps.contextTokens(),
        expertsUsed: experts.used,
        kvType: kv.kvType,
        planning: this.#deps.experts.planning(profileKey(model.id, inspected.sizeBytes)),
      },
      ({ phase, done, total }) => {
        if (!signal.aborted) this.#set({ state: 'loading', modelId: model.id, phase, done, total });
      },
      signal,
    );
    signal.throwIfAborted();
    this.#deps.experts.loaded(loaded);
    this.#ready = { model: chat, contextTokens: loaded.contextTokens };
    this.#set(readyWith(model.id, loaded, notice));
    this.#deps.onReady();
  }

  #onReset(reset: EngineReset): void {
    if (this.#status.state !== 'ready' || !this.#wanted || 'remote' in this.#wanted) return;
    if (reset.state === 'begun') return this.#set({ ...this.#status, reset: reset.error });
    const { modelId, notice } = this.#status;
    this.#deps.experts.loaded(reset.loaded);
    this.#set(readyWith(modelId, reset.loaded, notice));
  }

  #useRemote({ id, remote }: RemoteModelChoice): void {
    this.#ready = remote;
    const adapter = { description: 'A server computes the answers', software: false };
    this.#set({ state: 'ready', modelId: id, adapter, contextTokens: remote.contextTokens });
    this.#deps.onReady();
  }

  #onLost(error: WireError): void {
    if (!this.#wanted || 'remote' in this.#wanted || this.#status.state === 'failed') return;
    if (this.#restarts++ < MOST_RESTARTS) return void this.#start(this.#wanted, error);
    this.#load?.abort();
    const message = `${error.message} This happened ${MOST_RESTARTS + 1} times in a row. Choose the model again to try once more, or a smaller one.`;
    this.#fail(this.#wanted.id, { ...error, message });
  }

  #fail(modelId: string | null, error: WireError): void {
    this.#ready = null;
    this.#set({ state: 'failed', modelId, error });
    this.#deps.onFailed();
  }

  #set(status: EngineStatus): void {
    this.#status = status;
    this.#deps.events.emit('engine.status', status);
  }
}

function readyWith(
  modelId: string,
  { adapter, contextTokens, plan }: EngineLoaded,
  notice: string | null | undefined,
): EngineStatus {
  return { state: 'ready', modelId, adapter, contextTokens, plan, notice };
}

/** Names the model's routing profile: another file under the same entry has other experts. */
export function profileKey(modelId: string, sizeBytes: number): string {
  return `${modelId}:${sizeBytes}`;
}
