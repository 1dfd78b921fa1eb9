/**
 * What a plan is compiled from: the device, the model's numbers and its buffers, and the settings that plans must agree on.
 * Made once at load by `engine.ts`; the decode plan and the prefill plan only read it and add activations of their own.
 */
import type { ModelSpec } from '../architectures/types.ts';
import type { GpuDevice } from '../device/open-device.ts';
import type { BufferRange } from '../device/types.ts';
import type { KvType } from '../quant/kv-types.ts';
import type { ModelBuffers } from './buffers.ts';
import type { PrefillOptions } from './types.ts';

export interface PlanContext {
  readonly gpu: GpuDevice;
  readonly model: ModelSpec;
  readonly buffers: ModelBuffers;
  /** C: rows per KV head in every layer's keys and values. */
  readonly contextTokens: number;
  readonly kvType: KvType;
  /** K per layer index: the model's number unless `EngineOptions.expertsUsed` replaced it; 0 for dense layers. */
  readonly expertsUsed: readonly number[];
  /** Per layer index: how far the choice of experts may bend to what has a slot (`EngineOptions.approximateRouting`); 0 is exact. */
  readonly routingMargins: readonly number[];
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

export interface PrefillRunOptions extends PrefillOptions {
  /** Ask for the logits `[n, V]` of every position. */
  readonly logits?: boolean;
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
