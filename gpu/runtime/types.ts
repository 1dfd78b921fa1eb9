/**
 * What the engine offers to its host. One engine holds one model and one sequence (its KV cache); positions are
 * absolute. All calls are made one after another; a second call while one runs is a bug of the host (invariant).
 */
import type { ModelSpec } from '../architectures/types.ts';
import type { KvType } from '../quant/kv-types.ts';
import type { CachePolicyFactory, GpuBytes, ResidencyCounters, ResidencyPlan } from '../residency/types.ts';

export interface EngineOptions {
  readonly model: ModelSpec;
  /** Capacity of the KV cache; fixed for the engine's life. Default: min(trained, 4096). */
  readonly contextTokens?: number;
  /** The type of keys and values in the cache (a numeric setting). `q8_0` wants heads of a multiple of 32. Default `f16`. */
  readonly kvType?: KvType;
  /** Tokens per prefill chunk, 1…512. Never changes a bit of the result. Default 128. */
  readonly prefillChunkTokens?: number;
  /** Decode steps per submission where no miss is possible, 1…4. Never changes a bit of the result. */
  readonly tokensInFlight?: number;
  /**
   * Where the experts live; never changes a bit of the result. Default: all on the GPU, or, where the GPU refuses that much memory, as many as it has
   * room for (`residency().slotsBytes` says how much it came to).
   */
  readonly residency?: ResidencyPlan;
  /** Who leaves when an expert comes for which no slot is free. */
  readonly policy?: CachePolicyFactory;
  /**
   * Layers that a token runs before the host looks what it lacked: 1 asks at every layer, `Infinity` runs through to the end. Never changes a bit.
   * Default: chosen while it runs, by what read-backs, layers and loads are measured to cost.
   */
  readonly missReach?: number;
  /** Per MoE layer, uses of each expert in earlier answers: the most used ones have slots from the start. */
  readonly warmCounts?: readonly ArrayLike<number>[];
  /** Tests: place experts in slots by this seeded permutation instead of the identity. Never changes a bit. */
  readonly slotPermutationSeed?: number;
  /** Experts used per token instead of the model's own number (a numeric setting). */
  readonly expertsUsed?: number;
  /**
   * Cache-aware routing, which changes answers: in decode, at layers with fewer slots than experts, an expert with a slot takes the place of one
   * without whose router logit is at most this much higher. 0 (default): exact. Prefill is always exact.
   */
  readonly approximateRouting?: number;
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
}

export interface LoadProgress {
  readonly phase: 'pipelines' | 'weights';
  readonly done: number;
  readonly total: number;
}

export interface SamplingSettings {
  /** 0: greedy, everything else is ignored. */
  readonly temperature: number;
  /** 1…256 candidates; 0 means 256. */
  readonly topK: number;
  /** (0, 1]; 1: off. Mass is relative to the full distribution. */
  readonly topP: number;
  /** [0, 1); 0: off. Relative to the most likely candidate. */
  readonly minP: number;
  /** Unsigned 32 bits. The draw is a function of (seed, position) only. */
  readonly seed: number;
}

export interface GenerateRequest {
  readonly maxTokens: number;
  readonly sampling: SamplingSettings;
  /** Generation ends after one of these was sampled; it is reported but not counted as text. */
  readonly endIds: ReadonlySet<number>;
  readonly signal?: AbortSignal;
  /** Ask for the routing record of each token (2 bytes per layer and rank; rides in the same read-back). */
  readonly routing?: boolean;
}

export interface SampledToken {
  readonly id: number;
  /** Absolute position of this token in the sequence. */
  readonly position: number;
  /** Expert ids [MoE layers, K] of the step that produced this token; only when asked for. */
  readonly routing?: Uint16Array;
}

export type FinishReason = 'end-token' | 'max-tokens' | 'context-full' | 'cancelled';

/** Totals since the engine was made. Rates are derived by the reader. */
export interface EngineCounters {
  readonly decodeTokens: number;
  readonly prefillTokens: number;
  readonly dispatches: number;
  readonly decodeDispatches: number;
  readonly submissions: number;
  readonly readbacks: number;
  readonly decodeReadbacks: number;
  readonly readbackBytes: number;
  /** Weight bytes that decode steps addressed, and the least any exact engine must touch for them. */
  readonly weightBytesTouched: number;
  readonly weightBytesRequired: number;
  readonly encodeMs: number;
  readonly decodeMs: number;
  readonly prefillMs: number;
}

export interface MemoryLedger extends GpuBytes {
  readonly peakBytes: number;
}

/** The experts that a chunk's tokens were sent to. */
export interface PrefillRouting {
  readonly startPosition: number;
  readonly nTokens: number;
  /** Expert ids `[MoE layers, T, K]` by rank. */
  readonly ids: Uint16Array;
}

export interface PrefillOptions {
  /** Aborting rejects with `engine.cancelled` after the submission in progress. */
  readonly signal?: AbortSignal;
  /** Tokens whose keys and values are in the cache, of `total`. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ask for the routing, one read-back per chunk; never called without MoE layers. The token that is kept back has none. */
  readonly onRouting?: (routing: PrefillRouting) => void;
}

export interface ReplayOptions {
  /** Aborting rejects with `engine.cancelled` soon. */
  readonly signal?: AbortSignal;
}

export interface Engine {
  readonly model: ModelSpec;
  readonly contextTokens: number;
  readonly kvType: KvType;
  /** Tokens whose keys and values are in the cache. */
  readonly position: number;
  /** Appends `tokens` to the sequence. The last one is kept back for `generate`, which starts from it. */
  prefill(tokens: ArrayLike<number>, options?: PrefillOptions): Promise<void>;
  /**
   * Appends `tokens` behind a token that is kept back, their keys and values through the decode kernels: the same bits as if `generate` had sampled
   * them, which prefill need not give. The last one is kept back.
   */
  replay(tokens: ArrayLike<number>, options?: ReplayOptions): Promise<void>;
  /** Samples from the current position on. Returns why it ended. `yield`s as read-backs arrive. */
  generate(request: GenerateRequest): AsyncGenerator<SampledToken, FinishReason>;
  /** Forgets everything from `position` on; free of charge. */
  truncate(position: number): void;
  /** Logits [n, V] of every position of `tokens` from an empty sequence, through the prefill kernels. */
  logits(tokens: ArrayLike<number>): Promise<Float32Array>;
  /** Logits [n, V], each position fed one by one through the decode kernels. */
  decodeLogits(tokens: ArrayLike<number>): Promise<Float32Array>;
  /** KV bytes of a layer, tests and debugging: a cache of these tokens alone, as laid out in gpu/README.md. */
  readKv(layer: number, nTokens: number): Promise<{ keys: Uint32Array; values: Uint32Array }>;
  /** Milliseconds of a token with every expert at hand, read-back not included; of an empty sequence. For predictions; absent where nothing computes. */
  measureStepMs?(): Promise<number>;
  counters(): EngineCounters;
  /** Where experts were when tokens asked for them; nothing but `slotsBytes` where all have slots. */
  residency(): ResidencyCounters;
  memory(): MemoryLedger;
  /** Bytes of experts that are kept in RAM from now on, more or fewer than the plan said; what is above leaves at once. */
  resizeRamPool(bytes: number): void;
  /**
   * From now on no expert is read; resolves when no read into the device's memory is in flight. Whoever disposes of an engine that is at work
   * waits for this first; what was at work ends with `engine.cancelled`.
   */
  stop(): Promise<void>;
  dispose(): void;
}
