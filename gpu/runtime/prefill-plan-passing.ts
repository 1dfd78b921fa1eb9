/**
 * A layer of a chunk whose experts do not all have slots: they pass through the transit slab in groups, each computed before the next one's bytes
 * overwrite it (the queue's order sees to that). Decode's slots are used and stay as they are. No group changes a bit: every (token,
 * rank) pair has a place of its own, and ranks are added when all are there.
 */
import { BufferUsage, MapMode } from '../device/usage.ts';
import { isChunkAsked } from '../residency/chunk-asked.ts';
import type { Residency } from '../residency/cache/residency.ts';
import type { PlanContext } from './plan-context.ts';
import type { Activations } from './prefill-plan-activations.ts';
import type { SubmissionQueue } from './prefill-plan-queue.ts';
import { encodeSteps, type BoundStep } from './prefill-plan-steps.ts';

export interface PassingLayer {
  readonly layer: number;
  readonly before: readonly BoundStep[];
  readonly passing: readonly BoundStep[];
  readonly after: readonly BoundStep[];
}

export class PassingLayers {
  readonly #context: PlanContext;
  readonly #residency: Residency;
  readonly #activations: Activations;
  readonly #queue: SubmissionQueue;
  readonly #read: GPUBuffer;
  readonly totals = { dispatches: 0, submissions: 0, readbacks: 0, readbackBytes: 0 };

  static async create(
    context: PlanContext,
    residency: Residency,
    activations: Activations,
    queue: SubmissionQueue,
  ): Promise<PassingLayers> {
    const read = await context.gpu.buffers.allocate({
      label: 'chunk routing read',
      sizeBytes: activations.expertIds.sizeBytes,
      usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST,
      account: 'staging',
    });
    return new PassingLayers(context, residency, activations, queue, read);
  }

  private constructor(
    context: PlanContext,
    residency: Residency,
    activations: Activations,
    queue: SubmissionQueue,
    read: GPUBuffer,
  ) {
    this.#context = context;
    this.#residency = residency;
    this.#activations = activations;
    this.#queue = queue;
    this.#read = read;
  }

  /** Runs the layer for the chunk in the activations. `finish` records what follows it in its last submission. Rejects as the loader does. */
  async run(
    layer: PassingLayer,
    nTokens: number,
    finish: (encoder: GPUCommandEncoder) => void,
    onDone: (() => void) | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const nUsed = this.#context.expertsUsed[layer.layer];
    const nPairs = nTokens * nUsed;
    const { ffn } = this.#context.model.layers[layer.layer];
    const nExperts = ffn.kind === 'moe' ? ffn.moe.nExperts : 0;
    const isAsked = isChunkAsked(nTokens, nUsed, nExperts);
    await this.#submit([layer.before], nTokens, (encoder) => {
      if (isAsked) encoder.copyBufferToBuffer(this.#activations.expertIds.buffer, 0, this.#read, 0, 4 * nPairs);
    });
    const wanted = isAsked ? await this.#readIds(nPairs) : Array.from({ length: nExperts }, (_, expert) => expert);
    const experts = this.#residency.absent(layer.layer, wanted).sort((a, b) => a - b);
    const groupSize = this.#residency.transitSlots;
    for (let first = 0; first < experts.length; first += groupSize) {
      await this.#residency.pass(layer.layer, experts.slice(first, first + groupSize), signal);
      await this.#submit([layer.passing], nTokens);
    }
    await this.#submit([layer.after], nTokens, finish, onDone);
  }

  dispose(): void {
    this.#context.gpu.buffers.release(this.#read);
  }

  async #submit(
    groups: readonly (readonly BoundStep[])[],
    nTokens: number,
    finish?: (encoder: GPUCommandEncoder) => void,
    onDone?: () => void,
  ): Promise<void> {
    const encoder = this.#context.gpu.device.createCommandEncoder({ label: 'prefill' });
    const pass = encoder.beginComputePass({ label: 'prefill' });
    for (const steps of groups) {
      encodeSteps(pass, steps, nTokens);
      this.totals.dispatches += steps.length;
    }
    pass.end();
    finish?.(encoder);
    await this.#queue.submit(encoder.finish(), 1, onDone);
    this.totals.submissions++;
  }

  async #readIds(nPairs: number): Promise<Uint32Array> {
    const sizeBytes = 4 * nPairs;
    await this.#context.gpu.orLost(this.#read.mapAsync(MapMode.READ, 0, sizeBytes));
    const ids = new Uint32Array(this.#read.getMappedRange(0, sizeBytes).slice(0));
    this.#read.unmap();
    this.totals.readbacks++;
    this.totals.readbackBytes += sizeBytes;
    return ids;
  }
}
