/** A layer's dispatches in decode: its attention half, and its FFN half, which begins at the layer's resume point. */
import type { LayerSpec, MoeFfnTensors } from '../architectures/types.ts';
import { engineError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import {
  attentionDecodeKernel,
  SPLIT_TOKENS,
  splitsAt,
  type AttentionShape,
} from '../kernels/attention-decode/attention-decode.ts';
import { attentionReduceKernel } from '../kernels/attention-reduce/attention-reduce.ts';
import { denseDownKernel } from '../kernels/dense-down/dense-down.ts';
import { denseUpKernel } from '../kernels/dense-up/dense-up.ts';
import { expertsDownKernel, expertsDownParams } from '../kernels/experts-down/experts-down.ts';
import { expertsUpKernel, expertsUpParams } from '../kernels/experts-up/experts-up.ts';
import type { KernelInstance, LaneVariant } from '../kernels/lanes.ts';
import { outputMatvecKernel } from '../kernels/output-matvec/output-matvec.ts';
import { qkvMatvecKernel } from '../kernels/qkv-matvec/qkv-matvec.ts';
import { routedLayout, routerMatvecKernel } from '../kernels/router-matvec/router-matvec.ts';
import { expertBiases, placed, type LayerBuffers, type LayerVectors, type MatrixBuffer } from './buffers.ts';
import type { DecodeActivations } from './decode-activations.ts';
import type { PlanContext } from './plan-context.ts';
import type { PrefillStep } from './prefill-plan-steps.ts';

/** A dispatch whose grid depends on the position of the token at most. */
export interface DecodeStep extends PrefillStep {
  /** It is left out at earlier positions. */
  readonly fromPosition: number;
}

export interface DecodeParts {
  readonly context: PlanContext;
  readonly activations: DecodeActivations;
  readonly variant: LaneVariant;
}

/** Shards of a slab that one dispatch can bind. */
const MAX_SLAB_SHARDS = 2;

export function decodeStep({ program, grid }: KernelInstance, bindings: PrefillStep['bindings']): DecodeStep {
  return { program, bindings, grid: () => grid, fromPosition: 0 };
}

/** qkv, attention, its reduction (in long contexts), output projection; for a MoE layer also the router. */
export function attentionSteps(parts: DecodeParts, layer: LayerSpec): DecodeStep[] {
  const { context, activations: a, variant } = parts;
  const { model, buffers, state } = context;
  const { vectors, qkv, output, keys, values, ffn } = buffers.layers[layer.index];
  const residual = a.hOut(layer.index - 1);
  const shape = attentionShape(context, layer, vectors);
  const [q, k, v] = qkv.parts;
  const qkvKernel = qkvMatvecKernel(
    {
      modelWidth: model.modelWidth,
      qRows: q.rows,
      kvRows: k.rows,
      types: [q.type, k.type, v.type],
      basesVec4: [q.baseVec4, k.baseVec4, v.baseVec4],
      norm: vectors.attentionNorm,
      biases: biases(vectors),
      epsilon: model.rmsEpsilon,
    },
    variant,
  );
  const attention = attentionDecodeKernel(shape, variant);
  const attentionBindings = [a.qkv, vectors.range, buffers.globals, state, keys, values, a.attention];
  const steps: DecodeStep[] = [
    decodeStep(qkvKernel, [qkv.range, vectors.range, residual, a.qkv]),
    { ...decodeStep(attention, attentionBindings), grid: (position) => [attention.grid[0], splitsAt(position), 1] },
  ];
  if (context.contextTokens > SPLIT_TOKENS) {
    const reduce = decodeStep(attentionReduceKernel(shape), [state, a.attention]);
    steps.push({ ...reduce, fromPosition: SPLIT_TOKENS });
  }
  for (const { range, firstRow, rows } of output.shards) {
    const bias = vectors.outputBias < 0 ? null : vectors.outputBias;
    const kernel = outputMatvecKernel({ type: output.type, cols: output.cols, rows, firstRow, bias }, variant);
    const attended = { ...a.attention, sizeBytes: 4 * output.cols };
    steps.push(decodeStep(kernel, [range, vectors.range, attended, residual, a.hMid(layer.index)]));
  }
  if (ffn.kind === 'moe') steps.push(routerStep(parts, layer, ffn));
  return steps;
}

/** experts-up and experts-down, or dense-up and dense-down. */
export function ffnSteps(parts: DecodeParts, layer: LayerSpec): DecodeStep[] {
  const { ffn } = parts.context.buffers.layers[layer.index];
  return ffn.kind === 'dense' ? denseSteps(parts, layer, ffn) : expertSteps(parts, layer, ffn);
}

function attentionShape(
  { model, buffers, contextTokens, kvType }: PlanContext,
  { attention }: LayerSpec,
  vectors: LayerVectors,
): AttentionShape {
  return {
    nHeads: model.nHeads,
    nKvHeads: model.nKvHeads,
    headWidth: model.headWidth,
    contextTokens,
    kvType,
    attentionScale: model.attentionScale,
    qkNorm: model.qkNorm,
    qNorm: vectors.qNorm,
    kNorm: vectors.kNorm,
    epsilon: model.rmsEpsilon,
    clampQkv: model.clampQkv,
    pairing: model.rope.pairing,
    ropeDims: model.rope.dims,
    ropeOffset: buffers.ropeOffset,
    sinks: placed(vectors.sinks),
    windowTokens: attention.windowTokens,
  };
}

function biases({ qBias, kBias, vBias }: LayerVectors): readonly [number, number, number] | null {
  if (qBias < 0 && kBias < 0 && vBias < 0) return null;
  invariant(qBias >= 0 && kBias >= 0 && vBias >= 0, 'q, k and v have biases all or none');
  return [qBias, kBias, vBias];
}

function mixture({ index, ffn }: LayerSpec): MoeFfnTensors {
  invariant(ffn.kind === 'moe', `layer ${index} has experts`);
  return ffn;
}

type MoeBuffers = Extract<LayerBuffers['ffn'], { kind: 'moe' }>;
type DenseBuffers = Extract<LayerBuffers['ffn'], { kind: 'dense' }>;

function routerStep({ context, activations, variant }: DecodeParts, layer: LayerSpec, ffn: MoeBuffers): DecodeStep {
  const { model, buffers } = context;
  const { index } = layer;
  const { moe } = mixture(layer);
  const { vectors } = buffers.layers[index];
  const { router, shared } = ffn;
  const part = (i: number) => ({ type: shared!.up.parts[i].type, baseVec4: shared!.up.parts[i].baseVec4 });
  const kernel = routerMatvecKernel(
    {
      type: router.type,
      nExperts: router.rows,
      modelWidth: model.modelWidth,
      norm: vectors.ffnNorm,
      epsilon: model.rmsEpsilon,
      bias: placed(vectors.routerBias),
      scores: moe.gating === 'sigmoid' ? { bias: vectors.selectionBias } : undefined,
      shared: shared && {
        width: shared.width,
        gate: part(0),
        up: part(1),
        outputGate: shared.hasOutputGate ? part(2) : undefined,
      },
    },
    variant,
  );
  const weights = onlyShard(router).range;
  const sharedWeights = shared?.up.range ?? weights;
  return decodeStep(kernel, [weights, sharedWeights, vectors.range, activations.hMid(index), activations.routed(index)]);
}

function expertSteps(parts: DecodeParts, layer: LayerSpec, { slab, shared }: MoeBuffers): DecodeStep[] {
  const { context, activations: a, variant } = parts;
  const { model, buffers, expertsUsed, routingMargins, state } = context;
  const { index } = layer;
  const { moe } = mixture(layer);
  const nShards = slab.shards.length;
  if (nShards > MAX_SLAB_SHARDS) {
    throw engineError(
      'gpu.limits',
      `Layer ${index}: the experts lie in ${nShards} parts, but one dispatch takes ${MAX_SLAB_SHARDS} on this GPU ` +
        `(${context.gpu.capabilities.maxStorageBindingBytes} bytes per binding). Choose a smaller or more strongly quantised model.`,
      { layer: index, shards: nShards, allowedShards: MAX_SLAB_SHARDS },
    );
  }
  const { vectors } = buffers.layers[index];
  const common = {
    modelWidth: model.modelWidth,
    nExperts: moe.nExperts,
    nExpertsUsed: expertsUsed[index],
    width: slab.gate.rows,
    slotStrideBytes: slab.slotStrideBytes,
    nShards,
    rows: a.expertRowsLayout,
  };
  const up = expertsUpKernel(
    {
      ...common,
      gate: slab.gate,
      up: slab.up,
      normalise: moe.normalise,
      weightScale: moe.weightScale,
      sigmoid:
        moe.gating === 'sigmoid'
          ? { scores: routedLayout(moe.nExperts, moe.sharedWidth, moe.gating).scores, groups: moe.groups }
          : undefined,
      norm: vectors.ffnNorm,
      epsilon: model.rmsEpsilon,
      margin: routingMargins[index],
      activation: moe.activation,
      biases: expertBiases(vectors),
    },
    variant,
  );
  const sharedDown = shared && onlyShard(shared.down);
  const sharedShape = shared && { width: shared.width, type: shared.down.type, hasOutputGate: shared.hasOutputGate };
  const down = expertsDownKernel(
    { ...common, down: slab.down, shared: sharedShape, biases: placed(vectors.downBiases) },
    variant,
  );
  const [first, second] = [slab.shards[0], slab.shards[nShards - 1]];
  const [hMid, routed] = [a.hMid(index), a.routed(index)];
  const upParams = expertsUpParams({ table_offset: slab.tableOffset, layer: index, record_at: a.recordAt(index) });
  const downParams = expertsDownParams({ table_offset: slab.tableOffset });
  const sharedWeights = sharedDown?.range ?? (vectors.downBiases < 0 ? first : vectors.range);
  return [
    decodeStep(up, [upParams, first, second, slab.table, vectors.range, hMid, routed, state, a.expertRows]),
    decodeStep(down, [downParams, first, second, slab.table, a.expertRows, routed, sharedWeights, hMid, a.hOut(index)]),
  ];
}

function denseSteps({ context, activations: a, variant }: DecodeParts, { index }: LayerSpec, ffn: DenseBuffers): DecodeStep[] {
  const { model, buffers } = context;
  const { vectors } = buffers.layers[index];
  const { gateUp, down, width } = ffn;
  const [gate, up] = gateUp.parts;
  const upKernel = denseUpKernel(
    {
      modelWidth: model.modelWidth,
      width,
      types: [gate.type, up.type],
      basesVec4: [gate.baseVec4, up.baseVec4],
      norm: vectors.ffnNorm,
      epsilon: model.rmsEpsilon,
    },
    variant,
  );
  const downs = down.shards.map(({ range, firstRow, rows }) => {
    const kernel = denseDownKernel({ type: down.type, cols: width, rows, firstRow }, variant);
    return decodeStep(kernel, [range, a.hidden, a.hMid(index), a.hOut(index)]);
  });
  return [decodeStep(upKernel, [gateUp.range, vectors.range, a.hMid(index), a.hidden]), ...downs];
}

/** Routers and shared down matrices are far below every binding limit; where one is not, it cannot be run. */
function onlyShard(matrix: MatrixBuffer) {
  if (matrix.shards.length !== 1) {
    throw engineError(
      'gpu.limits',
      `A matrix of ${matrix.rows} × ${matrix.cols} ${matrix.type} weights is above this GPU's limit of bytes per binding. Choose a smaller model.`,
      { rows: matrix.rows, cols: matrix.cols },
    );
  }
  return matrix.shards[0];
}
