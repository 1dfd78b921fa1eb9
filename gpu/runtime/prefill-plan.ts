/**
 * The prefill plan: pipelines, buffers and bind groups of a chunk made once; a run writes tokens and the chunk uniform, encodes and
 * submits. Nothing is read back unless logits or routing are asked for. Results do not depend on the chunk's capacity or length.
 */
import { engineError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import { embedRowsGrid, embedRowsParams, embedRowsProgram } from '../kernels/embed-rows/embed-rows.ts';
import type { Residency } from '../residency/cache/residency.ts';
import { chunkBytes } from '../kernels/prefill-shared/chunk.ts';
import type { PlanContext, PrefillPlan, PrefillRunOptions, PrefillTotals } from './plan-context.ts';
import { allocateActivations, largestChunk } from './prefill-plan-activations.ts';
import { PrefillHead } from './prefill-plan-head.ts';
import { PassingLayers, type PassingLayer } from './prefill-plan-passing.ts';
import { layerSteps, type LayerParts } from './prefill-plan-layer.ts';
import { SubmissionQueue } from './prefill-plan-queue.ts';
import { PrefillRoutingReader } from './prefill-plan-routing.ts';
import { bindSteps, encodeSteps, type BoundStep, type PrefillStep } from './prefill-plan-steps.ts';

/** A chunk holds at most this many tokens, whatever is asked for. */
export const MAX_CHUNK_TOKENS = 512;

/** Compiles and allocates. A chunk whose buffers would exceed the binding limit is made shorter; that changes no result. */
export async function createPrefillPlan(
  context: PlanContext,
  chunkTokens: number,
  onProgress?: (done: number, total: number) => void,
  residency: Residency | null = null,
): Promise<PrefillPlan> {
  const { gpu, model, expertsUsed } = context;
  invariant(chunkTokens >= 1 && chunkTokens <= MAX_CHUNK_TOKENS, `prefill chunk of ${chunkTokens} tokens`);
  const capacity = largestChunk(model, expertsUsed, chunkTokens, gpu.capabilities.maxStorageBindingBytes);
  const { activations, buffers } = await allocateActivations(gpu, model, expertsUsed, capacity);
  const parts = { context, activations };
  const layers = model.layers.map((layer) => layerSteps(parts, layer));
  const owned = [...buffers];
  try {
    const stepGroups = [embedSteps(parts), ...layers.flatMap(({ before, passing, after }) => [before, passing ?? [], after])];
    const programs = stepGroups.flat().map((step) => step.program);
    await gpu.createPipelines(programs, onProgress);
    const bound = await bindSteps(gpu, stepGroups);
    if (bound.uniforms) owned.push(bound.uniforms);
    const groups = layers.map(({ passing }, layer): Group => {
      const [before, between, after] = bound.groups.slice(1 + 3 * layer, 4 + 3 * layer);
      return { steps: before, passing: passing ? { layer, before, passing: between, after } : null };
    });
    invariant(residency || groups.every(({ passing }) => !passing), 'experts without slots need a residency');
    const queue = new SubmissionQueue(gpu);
    const passing = residency && { residency, layers: await PassingLayers.create(context, residency, activations, queue) };
    return new ChunkedPrefill(parts, [{ steps: bound.groups[0], passing: null }, ...groups], owned, capacity, queue, passing);
  } catch (error) {
    for (const buffer of owned) gpu.buffers.release(buffer);
    throw error;
  }
}

function embedSteps({ context, activations }: LayerParts): PrefillStep[] {
  const { embedding } = context.buffers;
  return embedding.shards.map(({ range, firstRow, rows }) => ({
    program: embedRowsProgram(embedding.type, embedding.cols, context.model.embeddingScale),
    bindings: [
      activations.chunk,
      embedRowsParams({ first_row: firstRow, rows }),
      range,
      activations.tokens,
      activations.residual,
    ],
    grid: (nTokens: number) => embedRowsGrid(embedding.cols, nTokens),
  }));
}

function cancelled(): Error {
  return engineError('engine.cancelled', 'Reading the prompt was cancelled.');
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** The embedding or a layer. */
interface Group {
  readonly steps: readonly BoundStep[];
  /** In place of `steps` where not every expert of the layer has a slot. */
  readonly passing: PassingLayer | null;
}

interface Passing {
  readonly residency: Residency;
  readonly layers: PassingLayers;
}

class ChunkedPrefill implements PrefillPlan {
  readonly chunkTokens: number;
  readonly dispatchesPerChunk: number;
  readonly #totals: Writable<PrefillTotals> = {
    tokens: 0,
    dispatches: 0,
    submissions: 0,
    readbacks: 0,
    readbackBytes: 0,
    encodeMs: 0,
  };
  readonly #parts: LayerParts;
  /** Embedding, then one group per layer. */
  readonly #groups: readonly Group[];
  readonly #buffers: readonly GPUBuffer[];
  readonly #queue: SubmissionQueue;
  readonly #passing: Passing | null;
  #head: PrefillHead | null = null;
  #routing: PrefillRoutingReader | null = null;

  constructor(
    parts: LayerParts,
    groups: readonly Group[],
    buffers: readonly GPUBuffer[],
    chunkTokens: number,
    queue: SubmissionQueue,
    passing: Passing | null,
  ) {
    this.#parts = parts;
    this.#groups = groups;
    this.#buffers = buffers;
    this.chunkTokens = chunkTokens;
    this.dispatchesPerChunk = groups.reduce((sum, { steps }) => sum + steps.length, 0);
    this.#queue = queue;
    this.#passing = passing;
  }

  get totals(): PrefillTotals {
    const more = this.#passing?.layers.totals ?? { dispatches: 0, submissions: 0, readbacks: 0, readbackBytes: 0 };
    return {
      ...this.#totals,
      dispatches: this.#totals.dispatches + more.dispatches,
      submissions: this.#totals.submissions + more.submissions,
      readbacks: this.#totals.readbacks + more.readbacks,
      readbackBytes: this.#totals.readbackBytes + more.readbackBytes,
    };
  }

  async run(tokens: Uint32Array, position: number, options: PrefillRunOptions = {}): Promise<Float32Array | null> {
    const { context } = this.#parts;
    const { vocabularySize } = context.model;
    invariant(position + tokens.length <= context.contextTokens, `prefill of ${tokens.length} tokens at ${position}`);
    const logits = options.logits ? new Float32Array(tokens.length * vocabularySize) : null;
    if (logits) this.#head ??= await PrefillHead.create(this.#parts, this.chunkTokens);
    const onRouting = context.expertsUsed.some((n) => n > 0) ? options.onRouting : undefined;
    if (onRouting) this.#routing ??= await this.#createRouting();
    this.#passing?.residency.clearTransit();
    try {
      for (let first = 0; first < tokens.length; first += this.chunkTokens) {
        const chunk = tokens.subarray(first, first + this.chunkTokens);
        await this.#chunk(chunk, position + first, { ...options, onRouting }, () =>
          options.onProgress?.(first + chunk.length, tokens.length),
        );
        if (logits) await this.#readLogits(chunk.length, logits.subarray(first * vocabularySize));
        if (onRouting) await this.#readRouting(chunk.length, position + first, onRouting);
      }
    } finally {
      await this.#queue.drain();
    }
    return logits;
  }

  dispose(): void {
    this.#head?.dispose();
    this.#routing?.dispose();
    this.#passing?.layers.dispose();
    for (const buffer of this.#buffers) this.#parts.context.gpu.buffers.release(buffer);
  }

  async #chunk(tokens: Uint32Array, position: number, options: PrefillRunOptions, onDone: () => void): Promise<void> {
    const { device } = this.#parts.context.gpu;
    const { activations } = this.#parts;
    const ids = new Uint32Array(tokens); // a copy in an ArrayBuffer of its own, as writeBuffer wants it
    for (const id of ids) invariant(id < this.#parts.context.model.vocabularySize, `token id ${id} is outside the vocabulary`);
    let nextGroup = 0;
    while (nextGroup < this.#groups.length) {
      if (options.signal?.aborted) {
        throw cancelled();
      }
      if (nextGroup === 0) {
        device.queue.writeBuffer(activations.tokens.buffer, 0, ids);
        device.queue.writeBuffer(activations.chunk.buffer, 0, chunkBytes(ids.length, position));
      }
      const withRouting = options.onRouting !== undefined;
      const { passing } = this.#groups[nextGroup];
      if (passing) {
        const isLast = nextGroup + 1 === this.#groups.length;
        await this.#pass(passing, ids.length, withRouting, isLast ? onDone : undefined, options.signal);
        nextGroup++;
        continue;
      }
      const next = this.#groups.findIndex((group, i) => i > nextGroup && group.passing);
      const units = this.#queue.nextUnits((next < 0 ? this.#groups.length : next) - nextGroup);
      const end = nextGroup + units;
      const commands = this.#encode(nextGroup, end, ids.length, withRouting);
      await this.#queue.submit(commands, units, end === this.#groups.length ? onDone : undefined);
      this.#totals.submissions++;
      nextGroup = end;
    }
    this.#totals.tokens += ids.length;
  }

  async #pass(
    layer: PassingLayer,
    nTokens: number,
    withRouting: boolean,
    onDone: (() => void) | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    invariant(this.#passing, 'a layer without slots has a residency');
    const finish = (encoder: GPUCommandEncoder) => {
      if (withRouting) this.#routing!.encodeCopy(encoder, this.#moeIndex(layer.layer), nTokens);
    };
    try {
      await this.#passing.layers.run(layer, nTokens, finish, onDone, signal);
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw cancelled();
      throw error;
    }
  }

  #moeIndex(layer: number): number {
    return this.#parts.context.model.layers.slice(0, layer).filter(({ ffn }) => ffn.kind === 'moe').length;
  }

  #encode(from: number, to: number, nTokens: number, withRouting: boolean): GPUCommandBuffer {
    const { model, gpu } = this.#parts.context;
    const startMs = performance.now();
    const encoder = gpu.device.createCommandEncoder({ label: 'prefill' });
    let pass: GPUComputePassEncoder | null = null;
    for (let group = from; group < to; group++) {
      pass ??= encoder.beginComputePass({ label: 'prefill' });
      encodeSteps(pass, this.#groups[group].steps, nTokens);
      this.#totals.dispatches += this.#groups[group].steps.length;
      if (withRouting && group > 0 && model.layers[group - 1].ffn.kind === 'moe') {
        pass.end();
        pass = null;
        this.#routing!.encodeCopy(encoder, this.#moeIndex(group - 1), nTokens);
      }
    }
    pass?.end();
    const commands = encoder.finish();
    this.#totals.encodeMs += performance.now() - startMs;
    return commands;
  }

  async #readLogits(nTokens: number, out: Float32Array): Promise<void> {
    const work = await this.#head!.read(nTokens, out);
    this.#totals.dispatches += work.dispatches;
    this.#totals.submissions += work.submissions;
    this.#totals.readbacks += work.readbacks;
    this.#totals.readbackBytes += work.readbackBytes;
  }

  async #readRouting(
    nTokens: number,
    startPosition: number,
    onRouting: NonNullable<PrefillRunOptions['onRouting']>,
  ): Promise<void> {
    const ids = await this.#routing!.take(nTokens);
    this.#totals.readbacks++;
    this.#totals.readbackBytes += 4 * ids.length;
    onRouting({ startPosition, nTokens, ids });
  }

  async #createRouting(): Promise<PrefillRoutingReader> {
    const { context, activations } = this.#parts;
    const used = context.model.layers.filter(({ ffn }) => ffn.kind === 'moe').map(({ index }) => context.expertsUsed[index]);
    invariant(
      used.length > 0 && used.every((n) => n === used[0]),
      'a routing needs MoE layers that all use the same number of experts',
    );
    return PrefillRoutingReader.create(context.gpu, activations.expertIds.buffer, used.length, this.chunkTokens, used[0]);
  }
}
