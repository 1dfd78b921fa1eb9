/**
 * An engine for a host that asks from elsewhere (main's services): a model's paths go in, ids come out. Owns device, engine and open
 * files of one model at a time; what differs between hosts (where WebGPU and bytes come from) is handed in.
 */
import type { ModelSpec } from '../architectures/types.ts';
import { readModel } from '../architectures/read-model.ts';
import type { GpuDevice } from '../device/open-device.ts';
import { engineError, type ConclaveError, type EngineErrorCode, type ErrorDetails } from '../errors.ts';
import { openGguf } from '../gguf/read.ts';
import type { ByteSource } from '../gguf/types.ts';
import { invariant } from '../invariant.ts';
import type { KvType } from '../quant/kv-types.ts';
import { probeDevice, type DeviceMachine } from '../residency/plan/plan-for-device.ts';
import type { DeviceLinks, ModelHistory, OffloadPlan, Surroundings } from '../residency/plan/types.ts';
import type { ExpertActivity, ResidencyCounters } from '../residency/types.ts';
import { createPlannedEngine } from './planned-engine.ts';
import type { ReuseDepths } from '../residency/policy/reuse-depths.ts';
import { ExpertActivityRecorder, reuseDepthsOf } from './expert-activity.ts';
import type { SessionCallbacks, SessionRequest, SessionResult } from './session.ts';
import { SurvivingEngine, type MadeEngine } from './surviving-engine.ts';
import type { Engine, EngineOptions } from './types.ts';

export interface ClosableSource extends ByteSource {
  close(): Promise<void>;
}

export interface LocalEngineDependencies {
  openDevice(): Promise<GpuDevice>;
  openSource(path: string): Promise<ClosableSource>;
  createEngine(gpu: GpuDevice, options: EngineOptions): Promise<Engine>;
  /** For tests: waits before a device is asked for again. */
  pause?(delayMs: number): Promise<void>;
}

export interface LocalLoadRequest {
  /** All parts, in order. */
  readonly paths: readonly string[];
  /** null: chosen by the engine. */
  readonly contextTokens: number | null;
  /** Experts per token; null or absent: the model's own number. One that the model does not have is refused (`model.metadata`). */
  readonly expertsUsed?: number | null;
  /** Of keys and values. Absent: f16. */
  readonly kvType?: KvType;
  /** From what is planned where each expert lives; absent: all stay on the GPU. */
  readonly planning?: LocalPlanning;
}

export interface LocalPlanning extends Surroundings {
  /** null: chosen by the planner. */
  readonly gpuBudgetBytes: number | null;
  readonly ramBudgetBytes: number | null;
  /** Per MoE layer, uses of each expert in earlier answers (EngineOptions). */
  readonly warmCounts: readonly ArrayLike<number>[] | null;
  readonly hitCurve: ModelHistory['hitCurve'];
  /** Margin of cache-aware routing, which changes answers (EngineOptions); null: exact. */
  readonly approximateRouting: number | null;
}

export interface LocalCallbacks extends Pick<SessionCallbacks, 'onPrefill' | 'onTokens'> {
  /** What the experts do, now and then while an answer is written, and at its end; never for a dense model. */
  onExperts?(activity: ExpertActivity): void;
}

export interface LocalLoadProgress {
  readonly phase: 'device' | 'pipelines' | 'weights';
  readonly done: number;
  readonly total: number;
}

export interface LocalLoaded {
  readonly adapter: { readonly description: string; readonly software: boolean };
  readonly contextTokens: number;
  readonly plan: OffloadPlan | null;
  /** Speeds that were measured for the plan; null: they were known, or there is none. */
  readonly measured: DeviceLinks | null;
}

export interface LostEngine {
  readonly code: EngineErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

/** The device failed and is being had again, or all is as it was; the plan may be smaller. */
export type LocalReset =
  { readonly state: 'begun'; readonly error: LostEngine } | { readonly state: 'done'; readonly loaded: LocalLoaded };

interface Loaded {
  readonly sources: readonly ClosableSource[];
  readonly survivor: SurvivingEngine;
  readonly depths: ReuseDepths;
}

/** Calls come one after another; a second one while another runs waits for nothing and is a bug of the host, but for `unload` and `close`. */
export class LocalEngine {
  readonly #deps: LocalEngineDependencies;
  readonly #lostListeners = new Set<(error: LostEngine) => void>();
  readonly #resetListeners = new Set<(reset: LocalReset) => void>();
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
      const made = await this.#create(gpu, model, request, onProgress, signal);
      throwIfCancelled(signal);
      const survivor = this.#survive(gpu, made, sources, request.planning?.warmCounts ?? undefined);
      this.#loaded = { sources, survivor, depths: reuseDepthsOf(model) };
      return loadedOf(gpu, made, made.measured);
    } catch (error) {
      gpu?.dispose();
      await closeAll(sources);
      throw error;
    }
  }

  /** Rejects with `gpu.device-lost` when nothing is loaded (any more), else as the session does; a device that failed once is got over. */
  async generate(
    request: Omit<SessionRequest, 'signal'>,
    callbacks: LocalCallbacks,
    signal: AbortSignal,
  ): Promise<SessionResult> {
    if (!this.#loaded) throw engineError('gpu.device-lost', 'No model is loaded in the engine. Load it again.');
    const { survivor, depths } = this.#loaded;
    const { onPrefill, onTokens, onExperts } = callbacks;
    if (!onExperts || survivor.engine.model.layers.every(({ ffn }) => ffn.kind === 'dense'))
      return survivor.generate({ ...request, signal }, { onPrefill, onTokens });
    const experts = new ExpertActivityRecorder(() => survivor.engine, depths, onExperts);
    const result = await survivor.generate(
      { ...request, signal },
      {
        onTokens,
        onPrefill(done, total) {
          if (done === total) experts.begin();
          onPrefill(done, total);
        },
        onResume: () => experts.resume(),
        onRouting: (routing) => experts.add(routing),
      },
    );
    experts.finish();
    return result;
  }

  /** null: nothing is loaded. */
  residency(): ResidencyCounters | null {
    return this.#loaded?.survivor.engine.residency() ?? null;
  }

  /** Opens the device for a moment where no model is loaded. Rejects with `gpu.*`. */
  async probe(surroundings: Surroundings, signal: AbortSignal): Promise<DeviceMachine> {
    if (this.#loaded) return probeDevice(await this.#loaded.survivor.device(), surroundings);
    throwIfCancelled(signal);
    const gpu = await this.#deps.openDevice();
    try {
      return await probeDevice(gpu, surroundings);
    } finally {
      gpu.dispose();
    }
  }

  /** At any time, while an answer is written too; the bytes that the pool holds then. */
  async limitRamPool(limitBytes: number): Promise<number> {
    const engine = this.#loaded?.survivor.engine;
    engine?.resizeRamPool(limitBytes);
    return engine?.residency().ramPoolBytes ?? 0;
  }

  async unload(): Promise<void> {
    const loaded = this.#loaded;
    if (!loaded) return;
    this.#loaded = null;
    await loaded.survivor.end();
    await closeAll(loaded.sources);
  }

  onLost(listener: (error: LostEngine) => void): () => void {
    this.#lostListeners.add(listener);
    return () => this.#lostListeners.delete(listener);
  }

  /** Told where the model comes back by itself; `onLost` where it does not. */
  onReset(listener: (reset: LocalReset) => void): () => void {
    this.#resetListeners.add(listener);
    return () => this.#resetListeners.delete(listener);
  }

  close(): Promise<void> {
    return this.unload();
  }

  async #create(
    gpu: GpuDevice,
    model: ModelSpec,
    { contextTokens, expertsUsed, kvType, planning }: LocalLoadRequest,
    onProgress: (progress: LocalLoadProgress) => void,
    signal: AbortSignal,
  ): Promise<MadeEngine & Pick<LocalLoaded, 'measured'>> {
    invariant(contextTokens === null || contextTokens > 0, 'a context has at least one token');
    const { createEngine } = this.#deps;
    const options = { onProgress, signal };
    if (!planning) {
      const made = unplanned(createEngine, {
        model,
        contextTokens: contextTokens ?? undefined,
        expertsUsed: expertsUsed ?? undefined,
        kvType,
      });
      return { ...(await made(gpu, options)), measured: null };
    }
    const { gpuBudgetBytes, ramBudgetBytes, warmCounts, hitCurve, approximateRouting, ...surroundings } = planning;
    return createPlannedEngine(gpu, model, {
      gpuBudget: gpuBudgetBytes === null ? null : { bytes: gpuBudgetBytes },
      ramBudget: ramBudgetBytes === null ? null : { bytes: ramBudgetBytes },
      context: contextTokens === null ? null : { tokens: contextTokens, fixed: false },
      expertsUsed: expertsUsed ?? undefined,
      kvType,
      hitCurve: hitCurve ?? undefined,
      surroundings,
      options: { ...options, warmCounts: warmCounts ?? undefined, approximateRouting: approximateRouting ?? undefined },
      create: createEngine,
    });
  }

  #survive(
    gpu: GpuDevice,
    made: MadeEngine,
    sources: readonly ClosableSource[],
    warmCounts: LocalPlanning['warmCounts'] | undefined,
  ): SurvivingEngine {
    const tell = (reset: LocalReset) => {
      for (const listener of this.#resetListeners) listener(reset);
    };
    const { openDevice, pause } = this.#deps;
    const survivor: SurvivingEngine = new SurvivingEngine(gpu, made, {
      openDevice,
      pause,
      warmCounts: warmCounts ?? undefined,
      onReset: (fault) => tell({ state: 'begun', error: plain(fault) }),
      onRestored: (device, again) => tell({ state: 'done', loaded: loadedOf(device, again, null) }),
      onLost: (error) => {
        if (this.#loaded?.survivor !== survivor) return;
        this.#loaded = null;
        void closeAll(sources).then(() => {
          for (const listener of this.#lostListeners) listener(plain(error));
        });
      },
    });
    return survivor;
  }
}

function loadedOf({ capabilities }: GpuDevice, { engine, plan }: MadeEngine, measured: DeviceLinks | null): LocalLoaded {
  const { description, software } = capabilities;
  return { adapter: { description, software }, contextTokens: engine.contextTokens, plan, measured };
}

function plain({ code, message, details }: ConclaveError): LostEngine {
  return { code: code as EngineErrorCode, message, details };
}

/** Without a plan the engine itself takes as many slots as there is room for, each time. */
function unplanned(createEngine: LocalEngineDependencies['createEngine'], options: EngineOptions) {
  const make = async (gpu: GpuDevice, more: Pick<EngineOptions, 'onProgress' | 'signal'>): Promise<MadeEngine> => {
    const engine = await createEngine(gpu, { ...options, ...more });
    const contextTokens = engine.contextTokens;
    const again = unplanned(createEngine, { ...options, contextTokens });
    return { engine, plan: null, again: (other, _, still) => again(other, still) };
  };
  return make;
}

function throwIfCancelled(signal: AbortSignal): void {
  if (signal.aborted) throw engineError('engine.cancelled', 'Loading was cancelled.');
}

async function closeAll(sources: readonly ClosableSource[]): Promise<void> {
  await Promise.all(sources.map((source) => source.close()));
}
