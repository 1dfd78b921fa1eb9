/**
 * An engine for a host that asks from elsewhere (main's services): a model's paths go in, ids come out. Owns device, engine and open
 * files of one model at a time; what differs between hosts (where WebGPU and bytes come from) is handed in.
 */
import type { ModelSpec } from '../architectures/types.ts';
import { readModel } from '../architectures/read-model.ts';
import type { GpuDevice } from '../device/open-device.ts';
import { engineError, type EngineErrorCode, type ErrorDetails } from '../errors.ts';
import { openGguf } from '../gguf/read.ts';
import type { ByteSource } from '../gguf/types.ts';
import { invariant } from '../invariant.ts';
import type { ResidencyCounters, ResidencyPlan } from '../residency/types.ts';
import { EngineSession, type SessionCallbacks, type SessionRequest, type SessionResult } from './session.ts';
import type { Engine, EngineOptions } from './types.ts';

export interface ClosableSource extends ByteSource {
  close(): Promise<void>;
}

export interface LocalEngineDependencies {
  openDevice(): Promise<GpuDevice>;
  openSource(path: string): Promise<ClosableSource>;
  createEngine(gpu: GpuDevice, options: EngineOptions): Promise<Engine>;
}

export interface LocalLoadRequest {
  /** All parts, in order. */
  readonly paths: readonly string[];
  /** null: chosen by the engine. */
  readonly contextTokens: number | null;
  /** Where the experts live; default: all on the GPU. */
  readonly residency?: ResidencyPlan;
  /** Per MoE layer, uses of each expert in earlier answers (EngineOptions). */
  readonly warmCounts?: readonly ArrayLike<number>[];
}

export interface LocalLoadProgress {
  readonly phase: 'device' | 'pipelines' | 'weights';
  readonly done: number;
  readonly total: number;
}

export interface LocalLoaded {
  readonly adapter: { readonly description: string; readonly software: boolean };
  readonly contextTokens: number;
}

export interface LostEngine {
  readonly code: EngineErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

interface Loaded {
  readonly sources: readonly ClosableSource[];
  readonly gpu: GpuDevice;
  readonly engine: Engine;
  readonly session: EngineSession;
}

/** Calls come one after another; a second one while another runs waits for nothing and is a bug of the host, but for `unload` and `close`. */
export class LocalEngine {
  readonly #deps: LocalEngineDependencies;
  readonly #lostListeners = new Set<(error: LostEngine) => void>();
  #loaded: Loaded | null = null;

  constructor(deps: LocalEngineDependencies) {
    this.#deps = deps;
  }

  /** Replaces the model that was loaded. Rejects with what is wrong with the file, the adapter or the memory; then nothing is loaded. */
  async load(
    request: LocalLoadRequest,
    onProgress: (progress: LocalLoadProgress) => void,
    signal: AbortSignal,
  ): Promise<LocalLoaded> {
    await this.unload();
    const sources: ClosableSource[] = [];
    let gpu: GpuDevice | null = null;
    try {
      for (const path of request.paths) sources.push(await this.#deps.openSource(path));
      const model = readModel(await openGguf(sources));
      onProgress({ phase: 'device', done: 0, total: 1 });
      throwIfCancelled(signal);
      gpu = await this.#deps.openDevice();
      onProgress({ phase: 'device', done: 1, total: 1 });
      const engine = await this.#deps.createEngine(gpu, optionsOf(model, request, onProgress, signal));
      throwIfCancelled(signal);
      this.#loaded = { sources, gpu, engine, session: new EngineSession(engine) };
      this.#watch(this.#loaded);
      const { description, software } = gpu.capabilities;
      return { adapter: { description, software }, contextTokens: engine.contextTokens };
    } catch (error) {
      gpu?.dispose();
      await closeAll(sources);
      throw error;
    }
  }

  /** Rejects with `gpu.device-lost` when nothing is loaded (any more), else as the session does. */
  async generate(
    request: Omit<SessionRequest, 'signal'>,
    callbacks: SessionCallbacks,
    signal: AbortSignal,
  ): Promise<SessionResult> {
    if (!this.#loaded) throw engineError('gpu.device-lost', 'No model is loaded in the engine. Load it again.');
    return this.#loaded.session.generate({ ...request, signal }, callbacks);
  }

  /** null: nothing is loaded. */
  residency(): ResidencyCounters | null {
    return this.#loaded?.engine.residency() ?? null;
  }

  /** Where memory runs short, or is free again; without a model it does nothing. */
  resizeRamPool(bytes: number): void {
    this.#loaded?.engine.resizeRamPool(bytes);
  }

  async unload(): Promise<void> {
    const loaded = this.#loaded;
    if (!loaded) return;
    this.#loaded = null;
    await loaded.engine.stop();
    loaded.engine.dispose();
    loaded.gpu.dispose();
    await closeAll(loaded.sources);
  }

  onLost(listener: (error: LostEngine) => void): () => void {
    this.#lostListeners.add(listener);
    return () => this.#lostListeners.delete(listener);
  }

  close(): Promise<void> {
    return this.unload();
  }

  #watch(loaded: Loaded): void {
    void loaded.gpu.lost.then(async ({ code, message, details }) => {
      if (this.#loaded !== loaded) return;
      this.#loaded = null;
      await closeAll(loaded.sources);
      for (const listener of this.#lostListeners) listener({ code: code as EngineErrorCode, message, details });
    });
  }
}

function optionsOf(
  model: ModelSpec,
  request: LocalLoadRequest,
  onProgress: (progress: LocalLoadProgress) => void,
  signal: AbortSignal,
): EngineOptions {
  invariant(request.contextTokens === null || request.contextTokens > 0, 'a context has at least one token');
  const { contextTokens, residency, warmCounts } = request;
  return { model, contextTokens: contextTokens ?? undefined, residency, warmCounts, onProgress, signal };
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw engineError('engine.cancelled', 'Loading was cancelled.');
}

async function closeAll(sources: readonly ClosableSource[]): Promise<void> {
  await Promise.all(sources.map((source) => source.close()));
}
