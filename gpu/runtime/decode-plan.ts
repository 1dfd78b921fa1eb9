/**
 * The decode plan: every dispatch of a token with its pipeline and bind group, made once. Encoding a token walks a flat list; nothing is
 * created or written per token. Steps are cut into segments (embedding; each layer's attention half and FFN half; head), and a
 * token can be run again from any layer's FFN half: that is its resume point.
 */
import type { BoundDispatch } from '../device/pipelines.ts';
import { invariant } from '../invariant.ts';
import { embedKernel, embedParams } from '../kernels/embed/embed.ts';
import { headMatvecKernel, headMatvecParams } from '../kernels/head-matvec/head-matvec.ts';
import { laneVariant } from '../kernels/lanes.ts';
import { sampleGreedyKernel } from '../kernels/sample-greedy/sample-greedy.ts';
import { sampleKernel, samplingBytes } from '../kernels/sample/sample.ts';
import { allocateDecodeActivations, MAX_STEPS, type DecodeActivations } from './decode-activations.ts';
import { attentionSteps, decodeStep, ffnSteps, type DecodeParts, type DecodeStep } from './decode-plan-layer.ts';
import type { PlanContext } from './plan-context.ts';
import { bindSteps, type BoundStep } from './prefill-plan-steps.ts';
import type { SamplingSettings } from './types.ts';

const STATE_WORDS = 4;
const MISS_WORD = 2;
export const NO_MISS = 0xffffffff;

export interface TokenToEncode {
  /** Position of the token that is fed: grids depend on it. */
  readonly position: number;
  /** Which step of its submission it is: where its ring entry goes. */
  readonly step: number;
  /** Start at this layer's resume point instead of at the embedding. */
  readonly resumeLayer?: number;
  /** End before this layer's FFN half (the experts of a MoE layer, whose router logits are there); nothing is sampled. */
  readonly stopLayer?: number;
}

interface Segment {
  readonly steps: readonly { readonly bound: BoundStep; readonly fromPosition: number }[];
}

export class DecodePlan {
  readonly activations: DecodeActivations;
  readonly #context: PlanContext;
  /** Embedding, then [attention half, FFN half] of each layer, then the head. */
  readonly #segments: readonly Segment[];
  readonly #greedyTails: readonly BoundStep[];
  readonly #sampleTails: readonly BoundStep[];
  readonly #uniforms: GPUBuffer | null;
  #tails: readonly BoundStep[];

  /** Compiles and allocates; `dispose` gives all back. */
  static async create(context: PlanContext, onProgress?: (done: number, total: number) => void): Promise<DecodePlan> {
    const { gpu, model } = context;
    const activations = await allocateDecodeActivations(gpu, context);
    try {
      const parts = { context, activations, variant: laneVariant(gpu.capabilities) };
      const segments = [
        embedSteps(parts),
        ...model.layers.flatMap((layer) => [attentionSteps(parts, layer), ffnSteps(parts, layer)]),
        headSteps(parts),
      ];
      const tails = tailSteps(parts);
      const groups = [...segments, tails.greedy, tails.sample];
      const programs = groups.flat().map((step) => step.program);
      await gpu.createPipelines(programs, onProgress);
      const bound = await bindSteps(gpu, groups);
      const withPositions = segments.map((steps, s) => ({
        steps: steps.map(({ fromPosition }, i) => ({ bound: bound.groups[s][i], fromPosition })),
      }));
      const [greedy, sample] = bound.groups.slice(segments.length);
      return new DecodePlan(context, activations, withPositions, greedy, sample, bound.uniforms);
    } catch (error) {
      for (const buffer of activations.buffers) gpu.buffers.release(buffer);
      throw error;
    }
  }

  private constructor(
    context: PlanContext,
    activations: DecodeActivations,
    segments: readonly Segment[],
    greedyTails: readonly BoundStep[],
    sampleTails: readonly BoundStep[],
    uniforms: GPUBuffer | null,
  ) {
    this.#context = context;
    this.activations = activations;
    this.#segments = segments;
    this.#greedyTails = greedyTails;
    this.#sampleTails = sampleTails;
    this.#uniforms = uniforms;
    this.#tails = greedyTails;
  }

  /** Before whose FFN half all keys and values of a token are there. */
  get lastLayer(): number {
    return this.#context.model.nLayers - 1;
  }

  /** Written into the queue: holds for what is submitted from now on. */
  setSampling(settings: SamplingSettings): void {
    this.#context.gpu.device.queue.writeBuffer(this.activations.sampling.buffer, 0, samplingBytes(settings));
    this.#tails = settings.temperature === 0 ? this.#greedyTails : this.#sampleTails;
  }

  /** Written into the queue: the next step feeds `token` at `position`, and no miss is flagged. */
  setState(position: number, token: number): void {
    const { state, gpu } = this.#context;
    const words = new Uint32Array(STATE_WORDS);
    words.set([position, token, NO_MISS, 0]);
    gpu.device.queue.writeBuffer(state.buffer, state.offsetBytes, words);
  }

  /** Written into the queue: no miss is flagged any more. */
  clearMiss(): void {
    const { state, gpu } = this.#context;
    gpu.device.queue.writeBuffer(state.buffer, state.offsetBytes + 4 * MISS_WORD, Uint32Array.of(NO_MISS));
  }

  /** Records one token, or the part of it that is asked for; returns how many dispatches that took. */
  encode(pass: GPUComputePassEncoder, { position, step, resumeLayer, stopLayer }: TokenToEncode): number {
    const first = resumeLayer === undefined ? 0 : 2 + 2 * resumeLayer;
    const end = stopLayer === undefined ? this.#segments.length : 2 + 2 * stopLayer;
    invariant(
      first < end && end <= this.#segments.length && step < MAX_STEPS,
      `layers ${resumeLayer} to ${stopLayer}, step ${step}`,
    );
    let pipeline: GPUComputePipeline | undefined;
    let count = 0;
    const record = ({ dispatch, grid }: BoundStep) => {
      if (dispatch.pipeline !== pipeline) pass.setPipeline((pipeline = dispatch.pipeline));
      pass.setBindGroup(0, dispatch.bindGroup);
      const [x, y, z] = grid(position);
      pass.dispatchWorkgroups(x, y, z);
    };
    for (let s = first; s < end; s++) {
      for (const { bound, fromPosition } of this.#segments[s].steps) {
        if (position < fromPosition) continue;
        record(bound);
        count++;
      }
    }
    if (stopLayer !== undefined) return count;
    record(this.#tails[step]);
    return count + 1;
  }

  /** The dispatches of a token at `position`, in order, for whoever times them one by one. */
  dispatches(position: number): BoundDispatch[] {
    const live = this.#segments.flatMap(({ steps }) => steps.filter(({ fromPosition }) => position >= fromPosition));
    return [...live.map(({ bound }) => bound), this.#tails[0]].map(({ dispatch, grid }) => ({
      ...dispatch,
      grid: grid(position),
    }));
  }

  dispose(): void {
    const { buffers } = this.#context.gpu;
    for (const buffer of this.activations.buffers) buffers.release(buffer);
    if (this.#uniforms) buffers.release(this.#uniforms);
  }
}

function embedSteps({ context, activations }: DecodeParts): DecodeStep[] {
  const { embedding } = context.buffers;
  const kernel = embedKernel({ type: embedding.type, modelWidth: embedding.cols, scale: context.model.embeddingScale });
  return embedding.shards.map(({ range, firstRow, rows }) =>
    decodeStep(kernel, [embedParams({ first_row: firstRow, n_rows: rows }), range, context.state, activations.hOut(-1)]),
  );
}

function headSteps({ context, activations: a, variant }: DecodeParts): DecodeStep[] {
  const { model, buffers } = context;
  const { head, globals } = buffers;
  const shape = { type: head.type, modelWidth: model.modelWidth, epsilon: model.rmsEpsilon };
  const residual = a.hOut(model.nLayers - 1);
  return head.shards.map(({ range, firstRow, rows }) => {
    const params = headMatvecParams({ first_row: firstRow, n_rows: rows });
    const bindings = [params, a.sampling, range, globals, residual, a.logits, a.groups];
    return decodeStep(headMatvecKernel(shape, rows, variant), bindings);
  });
}

/** One per step of a submission: they differ in the ring entry. */
function tailSteps({ context, activations: a }: DecodeParts): { greedy: DecodeStep[]; sample: DecodeStep[] } {
  const shape = {
    vocabularySize: context.model.vocabularySize,
    recordsAt: a.expertRowsLayout.records,
    recordWords: a.recordWords,
  };
  const [greedy, sample] = [sampleGreedyKernel(shape), sampleKernel(shape)];
  const entries = Array.from({ length: MAX_STEPS }, (_, step) => a.ring(step));
  const { state } = context;
  return {
    greedy: entries.map((entry) => decodeStep(greedy, [a.groups, a.expertRows, state, entry])),
    sample: entries.map((entry) => decodeStep(sample, [a.sampling, a.logits, a.groups, a.expertRows, state, entry])),
  };
}
