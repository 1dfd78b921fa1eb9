/**
 * What the services ask of the engine, wherever it runs: in the engine host's window (Electron) or in this process (browser host, CLI).
 * Ids in, ids out: templates and tokenizers are main's. Everything is structured-clone-able except the callbacks and signals.
 */
import type {
  DeviceLinks as EngineLinks,
  OffloadPlan,
  Surroundings as EngineSurroundings,
} from '../../gpu/residency/plan/types.ts';
import type { KvType } from '../../gpu/quant/kv-types.ts';
import type { ExpertActivity } from './experts.ts';
import type { AdapterInfo } from './types.ts';
import type { WireError } from './errors.ts';

export type { EngineLinks, EngineSurroundings };

/** From what the engine plans where each expert lives. null budgets are chosen by the planner. */
export interface EnginePlanning extends EngineSurroundings {
  readonly gpuBudgetBytes: number | null;
  readonly ramBudgetBytes: number | null;
  /** Uses of each expert in earlier answers, `[MoE layers][E]`; null: none are known. */
  readonly warmCounts: readonly Float32Array[] | null;
  /** Share of slots → share of uses that hit, from earlier answers; null: too few. */
  readonly hitCurve: readonly (readonly [share: number, hit: number])[] | null;
  /** Margin of cache-aware routing, which changes answers; null: exact. */
  readonly approximateRouting: number | null;
}

/** The machine as the engine sees it, before any model is loaded. */
export interface EngineMachine {
  readonly adapter: AdapterInfo;
  readonly unifiedMemory: boolean;
  readonly gpuFreeBytes: number;
  readonly maxBindingBytes: number;
  readonly links: EngineLinks;
}

export interface EngineLoadRequest {
  readonly modelId: string;
  /** All parts, in order. */
  readonly paths: readonly string[];
  readonly contextTokens: number | null;
  /** Experts per token; null or absent: the model's own number. */
  readonly expertsUsed?: number | null;
  /** Of keys and values. Absent: f16. */
  readonly kvType?: KvType;
  /** Absent: all experts stay on the GPU. */
  readonly planning?: EnginePlanning;
}

export interface EngineLoadProgress {
  readonly phase: 'device' | 'pipelines' | 'weights';
  readonly done: number;
  readonly total: number;
}

export interface EngineLoaded {
  readonly adapter: AdapterInfo;
  readonly contextTokens: number;
  /** Where everything lives, and why; null without `planning`. */
  readonly plan: OffloadPlan | null;
  /** Measured at this load, for main to keep; null where they were known. */
  readonly measured: EngineLinks | null;
}

/** The device failed and is being had again, in an answer or between two; then all is as it was, though the plan may be smaller. */
export type EngineReset =
  { readonly state: 'begun'; readonly error: WireError } | { readonly state: 'done'; readonly loaded: EngineLoaded };

export interface EngineGenerateRequest {
  /** The whole prompt. The engine keeps what its cache already holds of it (common prefix). */
  readonly promptIds: Int32Array;
  readonly maxTokens: number;
  readonly endIds: readonly number[];
  readonly sampling: {
    readonly temperature: number;
    readonly topK: number;
    readonly topP: number;
    readonly minP: number;
    readonly seed: number;
  };
}

export interface EngineGenerateCallbacks {
  onPrefill(done: number, total: number): void;
  onTokens(ids: readonly number[]): void;
  /** Now and then while an answer is written, and at its end; never for a dense model. */
  onExperts?(activity: ExpertActivity): void;
}

export interface EngineResult {
  readonly reason: 'end-token' | 'max-tokens' | 'context-full' | 'cancelled';
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly contextUsedTokens: number;
}

export interface EngineClient {
  load(
    request: EngineLoadRequest,
    onProgress: (progress: EngineLoadProgress) => void,
    signal: AbortSignal,
  ): Promise<EngineLoaded>;
  /** One at a time. Aborting resolves with `cancelled` after the submission in progress. */
  generate(request: EngineGenerateRequest, callbacks: EngineGenerateCallbacks, signal: AbortSignal): Promise<EngineResult>;
  unload(): Promise<void>;
  /** Opens the device for a moment when no model is loaded; about two seconds where nothing is known of the adapter. */
  probe(surroundings: EngineSurroundings, signal: AbortSignal): Promise<EngineMachine>;
  /** The RAM pool gives up what is above `limitBytes`, and grows no larger until it is set again. Resolves with the bytes it holds then. */
  limitRamPool(limitBytes: number): Promise<number>;
  /** Where an answer is being written it goes on by itself. After `begun` comes `done`, or `onLost` where the device could not be had again. */
  onReset(listener: (reset: EngineReset) => void): () => void;
  /** The device or its process was lost for good; the client can be loaded again. */
  onLost(listener: (error: WireError) => void): () => void;
  close(): Promise<void>;
}
