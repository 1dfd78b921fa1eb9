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

/** What `createPrefillPlan(context, chunkTokens)` of prefill-plan.ts gives. */
export interface PrefillPlan {
  /** Most tokens of one chunk. */
  readonly chunkTokens: number;
  /** Bytes of weights that one chunk addresses are not counted; dispatches of a chunk of `nTokens` are. */
  dispatches(nTokens: number): number;
  /**
   * Submits one chunk: keys and values of `tokens` at positions `position` … are in the cache when the queue gets there. With
   * `logits`, resolves with the logits `[n, V]` of every position; else with null once the work is submitted (not done).
   */
  run(tokens: Uint32Array, position: number, options?: { readonly logits?: boolean }): Promise<Float32Array | null>;
  /** Releases the activations. */
  dispose(): void;
}
