/**
 * What a plan is compiled from: the device, the model's numbers and its buffers, and the settings that plans must agree on.
 * Made once at load by `engine.ts`; the decode plan and the prefill plan only read it and add activations of their own.
 */
import type { ModelSpec } from '../architectures/types.ts';
import type { GpuDevice } from '../device/open-device.ts';
import type { BufferRange } from '../device/types.ts';
import type { ModelBuffers } from './buffers.ts';

export interface PlanContext {
  readonly gpu: GpuDevice;
  readonly model: ModelSpec;
  readonly buffers: ModelBuffers;
  /** C: rows per KV head in every layer's keys and values. */
  readonly contextTokens: number;
  /** K per layer index: the model's number unless `EngineOptions.expertsUsed` replaced it; 0 for dense layers. */
  readonly expertsUsed: readonly number[];
  /** The sequence's `state` buffer (gpu/README.md). Prefill leaves it alone: the host sets it before the first decode step. */
  readonly state: BufferRange;
}

/** What a prefill plan did since it was made; the engine adds it to its counters. */
export interface PrefillTotals {
  readonly tokens: number;
  readonly dispatches: number;
  readonly submissions: number;
  readonly readbacks: number;
  readonly readbackBytes: number;
  readonly encodeMs: number;
}

/** The experts that a chunk's tokens were sent to. */
export interface PrefillRouting {
  readonly startPosition: number;
  readonly nTokens: number;
  /** Expert ids `[MoE layers, T, K]` by rank. */
  readonly ids: Uint16Array;
}

export interface PrefillRunOptions {
  /** Ask for the logits `[n, V]` of every position. */
  readonly logits?: boolean;
  /** Checked between submissions: rejects with `engine.cancelled` once the work in progress has ended. */
  readonly signal?: AbortSignal;
  /** Tokens whose keys and values are in the cache, of `total`. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Ask for the routing, one read-back per chunk. */
  readonly onRouting?: (routing: PrefillRouting) => void;
}

/** What `createPrefillPlan(context, chunkTokens)` of prefill-plan.ts resolves with. */
export interface PrefillPlan {
  /** Most tokens of one chunk. */
  readonly chunkTokens: number;
  /** Dispatches of one chunk, whatever its length; without logits. */
  readonly dispatchesPerChunk: number;
  readonly totals: PrefillTotals;
  /**
   * Any number of tokens at positions `position` …, chunk by chunk. Resolves when their keys and values are in the cache: with the
   * logits `[n, V]` where they were asked for, else with null.
   */
  run(tokens: Uint32Array, position: number, options?: PrefillRunOptions): Promise<Float32Array | null>;
  /** Releases the activations. */
  dispose(): void;
}
