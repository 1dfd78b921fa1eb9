/** One layer of a prefill plan as steps: attention from `residual` to `middle`, feed-forward back to `residual`. */
import type { LayerSpec, MoeFfnTensors } from '../architectures/types.ts';
import type { BufferRange } from '../device/types.ts';
import {
  attentionPrefillGrid,
  attentionPrefillParams,
  attentionPrefillProgram,
} from '../kernels/attention-prefill/attention-prefill.ts';
import { expertsCombineGrid, expertsCombineProgram } from '../kernels/experts-combine/experts-combine.ts';
import { expertsMatmulDownGrid, expertsMatmulDownProgram } from '../kernels/experts-matmul-down/experts-matmul-down.ts';
import { expertsMatmulUpGrid, expertsMatmulUpProgram } from '../kernels/experts-matmul-up/experts-matmul-up.ts';
import { EXPERTS_SORT_GRID, expertsSortProgram } from '../kernels/experts-sort/experts-sort.ts';
import { matmulGrid, matmulParams, matmulProgram, type MatmulShape } from '../kernels/matmul/matmul.ts';
import { expertMatmulParams, SHARDS_PER_DISPATCH } from '../kernels/prefill-shared/expert-slot.ts';
import { rmsNormGrid, rmsNormProgram } from '../kernels/rms-norm/rms-norm.ts';
import { ropeAppendGrid, ropeAppendProgram } from '../kernels/rope-append/rope-append.ts';
import { routerTopkGrid, routerTopkProgram } from '../kernels/router-topk/router-topk.ts';
import { swigluGrid, swigluProgram } from '../kernels/swiglu/swiglu.ts';
import type { ComputeType } from '../quant/types.ts';
import {
  expertBiases,
  placed,
  type ExpertSlab,
  type FusedMatrices,
  type LayerBuffers,
  type LayerVectors,
  type MatrixBuffer,
  type SharedExpertBuffers,
} from './buffers.ts';
import type { PlanContext } from './plan-context.ts';
import { sharedStride, type Activations } from './prefill-plan-activations.ts';
import type { PrefillStep } from './prefill-plan-steps.ts';

export interface LayerParts {
  readonly context: PlanContext;
  readonly activations: Activations;
}

interface MatmulEnds {
  readonly chunk: BufferRange;
  readonly x: BufferRange;
  readonly out: BufferRange;
  /** Where biases lie; anything readable where there are none. */
  readonly vectors: BufferRange;
  readonly residual?: BufferRange;
}

function matmulStep(type: ComputeType, weights: BufferRange, ends: MatmulEnds, shape: MatmulShape): PrefillStep {
  const params = matmulParams({ ...shape, residual: ends.residual !== undefined });
  return {
    program: matmulProgram(type),
    bindings: [ends.chunk, params, weights, ends.x, ends.vectors, ends.residual ?? ends.x, ends.out],
    grid: (nTokens) => matmulGrid(shape.rows, nTokens),
  };
}

/** A matrix by itself: one step per shard of its rows. */
export function matrixSteps(matrix: MatrixBuffer, ends: MatmulEnds, bias = -1): PrefillStep[] {
  return matrix.shards.map(({ range, firstRow, rows }) =>
    matmulStep(matrix.type, range, ends, {
      rows,
      cols: matrix.cols,
      outStride: matrix.rows,
      outColumn: firstRow,
      bias: bias < 0 ? -1 : bias + firstRow,
    }),
  );
}

/** Matrices that share a region: their outputs side by side in rows of `outStride`. */
function fusedSteps(fused: FusedMatrices, ends: MatmulEnds, outStride: number, biases: readonly number[] = []): PrefillStep[] {
  let outColumn = 0;
  return fused.parts.map(({ type, rows, cols, baseVec4 }, i) => {
    const step = matmulStep(type, fused.range, ends, { rows, cols, baseVec4, outStride, outColumn, bias: biases[i] ?? -1 });
    outColumn += rows;
    return step;
  });
}

export function normStep(parts: LayerParts, x: BufferRange, weights: BufferRange, weightOffset: number): PrefillStep {
  const { model } = parts.context;
  return {
    program: rmsNormProgram(model.modelWidth, weightOffset, model.rmsEpsilon),
    bindings: [parts.activations.chunk, x, weights, parts.activations.normed],
    grid: rmsNormGrid,
  };
}

/** A layer, cut where experts that have no slot must be brought. */
export interface LayerSteps {
  /** Attention, routing, the experts that have slots; of a resident or dense layer the whole layer. */
  readonly before: readonly PrefillStep[];
  /** Run once for each group of experts that passes through the transit slab; null where every expert has a slot. */
  readonly passing: readonly PrefillStep[] | null;
  readonly after: readonly PrefillStep[];
}

export function layerSteps(parts: LayerParts, spec: LayerSpec): LayerSteps {
  const layer = parts.context.buffers.layers[spec.index];
  const attention = attentionSteps(parts, spec, layer);
  if (layer.ffn.kind === 'dense') {
    return { before: [...attention, ...denseSteps(parts, layer, layer.ffn)], passing: null, after: [] };
  }
  const moe = moeSteps(parts, spec, layer, layer.ffn);
  if (moe.passing) return { before: [...attention, ...moe.routing, ...moe.slots], passing: moe.passing, after: moe.rest };
  return { before: [...attention, ...moe.routing, ...moe.slots, ...moe.rest], passing: null, after: [] };
}

function attentionSteps(parts: LayerParts, { attention }: LayerSpec, layer: LayerBuffers): PrefillStep[] {
  const { model, buffers, contextTokens, kvType } = parts.context;
  const { chunk, residual, normed, qkv, queries, attended, middle } = parts.activations;
  const { vectors, keys, values } = layer;
  const heads = { nHeads: model.nHeads, nKvHeads: model.nKvHeads, headWidth: model.headWidth, contextTokens, kvType };
  const rope = {
    ...heads,
    qkNorm: model.qkNorm,
    qNorm: vectors.qNorm,
    kNorm: vectors.kNorm,
    epsilon: model.rmsEpsilon,
    clampQkv: model.clampQkv,
    pairing: model.rope.pairing,
    ropeDims: model.rope.dims,
    ropeOffset: buffers.ropeOffset,
  };
  const sinks = placed(vectors.sinks);
  const shape = { ...heads, scale: model.attentionScale, sinks, windowTokens: attention.windowTokens };
  const qkvWidth = (model.nHeads + 2 * model.nKvHeads) * model.headWidth;
  return [
    normStep(parts, residual, vectors.range, vectors.attentionNorm),
    ...fusedSteps(layer.qkv, { chunk, x: normed, out: qkv, vectors: vectors.range }, qkvWidth, [
      vectors.qBias,
      vectors.kBias,
      vectors.vBias,
    ]),
    {
      program: ropeAppendProgram(rope),
      bindings: [chunk, qkv, vectors.range, buffers.globals, queries, keys, values],
      grid: (nTokens) => ropeAppendGrid(rope, nTokens),
    },
    {
      program: attentionPrefillProgram(kvType, sinks !== undefined),
      bindings: [
        ...[chunk, attentionPrefillParams(shape), queries, keys, values, attended],
        ...(sinks === undefined ? [] : [vectors.range]),
      ],
      grid: (nTokens) => attentionPrefillGrid(heads, nTokens),
    },
    ...matrixSteps(layer.output, { chunk, x: attended, out: middle, vectors: vectors.range, residual }, vectors.outputBias),
  ];
}

type MoeBuffers = Extract<LayerBuffers['ffn'], { kind: 'moe' }>;
type DenseBuffers = Extract<LayerBuffers['ffn'], { kind: 'dense' }>;

function moeSteps(parts: LayerParts, spec: LayerSpec, { vectors }: LayerBuffers, ffn: MoeBuffers) {
  const { chunk, middle, normed, routerLogits } = parts.activations;
  const nUsed = parts.context.expertsUsed[spec.index];
  const moe = { ...(spec.ffn as MoeFfnTensors).moe, nExpertsUsed: nUsed };
  const isStreamed = ffn.transit !== undefined && ffn.transit.shards[0].buffer === ffn.slab.shards[0].buffer;
  return {
    routing: [
      normStep(parts, middle, vectors.range, vectors.ffnNorm),
      ...matrixSteps(ffn.router, { chunk, x: normed, out: routerLogits, vectors: vectors.range }, vectors.routerBias),
      ...routingSteps(parts, moe, vectors),
    ],
    slots: isStreamed ? [] : expertSteps(parts, moe, ffn.slab, vectors),
    passing: ffn.transit ? expertSteps(parts, moe, ffn.transit, vectors) : null,
    rest: [...(ffn.shared ? sharedSteps(parts, ffn.shared, vectors.range) : []), combineStep(parts, nUsed, ffn.shared)],
  };
}

function denseSteps(parts: LayerParts, { vectors }: LayerBuffers, ffn: DenseBuffers): PrefillStep[] {
  const { chunk, middle, normed, gateUp, hidden, residual } = parts.activations;
  return [
    normStep(parts, middle, vectors.range, vectors.ffnNorm),
    ...fusedSteps(ffn.gateUp, { chunk, x: normed, out: gateUp, vectors: vectors.range }, 2 * ffn.width),
    swigluStep(parts, ffn.width, 2 * ffn.width),
    ...matrixSteps(ffn.down, { chunk, x: hidden, out: residual, vectors: vectors.range, residual: middle }),
  ];
}

function swigluStep({ activations }: LayerParts, width: number, stride: number): PrefillStep {
  return {
    program: swigluProgram(width, stride),
    bindings: [activations.chunk, activations.gateUp, activations.hidden],
    grid: (nTokens) => swigluGrid(width, nTokens),
  };
}

function routingSteps({ activations }: LayerParts, moe: MoeFfnTensors['moe'], vectors: LayerVectors): PrefillStep[] {
  const { chunk, routerLogits, expertIds, expertWeights, pairs, tiles } = activations;
  const sigmoid = moe.gating === 'sigmoid' ? { bias: vectors.selectionBias, groups: moe.groups } : undefined;
  return [
    {
      program: routerTopkProgram({ ...moe, sigmoid }),
      bindings: [chunk, routerLogits, vectors.range, expertIds, expertWeights],
      grid: routerTopkGrid,
    },
    {
      program: expertsSortProgram(moe.nExperts, moe.nExpertsUsed),
      bindings: [chunk, expertIds, pairs, tiles],
      grid: () => EXPERTS_SORT_GRID,
    },
  ];
}

/** Those experts whose slots `slab.table` knows; the others' places are left as they are. */
function expertSteps(parts: LayerParts, moe: MoeFfnTensors['moe'], slab: ExpertSlab, vectors: LayerVectors): PrefillStep[] {
  const { normed, pairs, tiles, pairHidden, pairOutputs } = parts.activations;
  const { nExperts, nExpertsUsed, expertWidth } = moe;
  const { modelWidth } = parts.context.model;
  const biases = expertBiases(vectors);
  const firstShards: number[] = [];
  for (let shard = 0; shard < slab.shards.length; shard += SHARDS_PER_DISPATCH) firstShards.push(shard);
  const place = (firstShard: number, input: BufferRange, output: BufferRange) => [
    slab.shards[firstShard],
    slab.shards[firstShard + 1] ?? slab.shards[firstShard],
    slab.table,
    tiles,
    pairs,
    input,
    output,
    ...(biases ? [vectors.range] : []),
  ];
  const shared = { tableOffset: slab.tableOffset, slotStrideBytes: slab.slotStrideBytes, nExpertsUsed };
  return [
    ...firstShards.map((firstShard) => ({
      program: expertsMatmulUpProgram(slab.gate.type, slab.up.type, { activation: moe.activation, biases }),
      bindings: [
        expertMatmulParams({
          ...shared,
          firstShard,
          offsetsVec4: [slab.gate.offsetVec4, slab.up.offsetVec4],
          rows: expertWidth,
          cols: modelWidth,
        }),
        ...place(firstShard, normed, pairHidden),
      ],
      grid: (nTokens: number) => expertsMatmulUpGrid(expertWidth, nExperts, nTokens * nExpertsUsed),
    })),
    ...firstShards.map((firstShard) => ({
      program: expertsMatmulDownProgram(slab.down.type, biases && vectors.downBiases),
      bindings: [
        expertMatmulParams({
          ...shared,
          firstShard,
          offsetsVec4: [slab.down.offsetVec4],
          rows: modelWidth,
          cols: expertWidth,
        }),
        ...place(firstShard, pairHidden, pairOutputs),
      ],
      grid: (nTokens: number) => expertsMatmulDownGrid(modelWidth, nExperts, nTokens * nExpertsUsed),
    })),
  ];
}

/** The shared expert is a dense feed-forward beside the others; its gate logit stands behind gate and up. */
function sharedSteps(parts: LayerParts, shared: SharedExpertBuffers, vectors: BufferRange): PrefillStep[] {
  const { chunk, normed, gateUp, hidden, sharedOutput } = parts.activations;
  const stride = sharedStride(shared.width);
  return [
    ...fusedSteps(shared.up, { chunk, x: normed, out: gateUp, vectors }, stride),
    swigluStep(parts, shared.width, stride),
    ...matrixSteps(shared.down, { chunk, x: hidden, out: sharedOutput, vectors }),
  ];
}

function combineStep({ context, activations }: LayerParts, nUsed: number, shared?: SharedExpertBuffers): PrefillStep {
  const { modelWidth } = context.model;
  const { chunk, pairOutputs, expertWeights, middle, sharedOutput, gateUp, residual } = activations;
  return {
    program: expertsCombineProgram({
      modelWidth,
      nExpertsUsed: nUsed,
      hasShared: shared !== undefined,
      sharedGate: shared?.hasOutputGate ? { stride: sharedStride(shared.width), column: 2 * shared.width } : undefined,
    }),
    bindings: [chunk, pairOutputs, expertWeights, middle, sharedOutput, gateUp, residual],
    grid: (nTokens) => expertsCombineGrid(modelWidth, nTokens),
  };
}
