/** One layer of the reference engine for one token, composed of the decode kernels' references. */
import type { AttentionTensors, LayerSpec, ModelSpec, MoeFfnTensors } from '../architectures/types.ts';
import type { GgufTensor } from '../gguf/types.ts';
import type { KvType } from '../quant/kv-types.ts';
import { attentionDecodeRef, type AttentionDecodeParams } from '../kernels/attention-decode/attention-decode.ref.ts';
import { attentionReduceRef } from '../kernels/attention-reduce/attention-reduce.ref.ts';
import { denseDownRef } from '../kernels/dense-down/dense-down.ref.ts';
import { denseUpRef } from '../kernels/dense-up/dense-up.ref.ts';
import { expertsDownRef } from '../kernels/experts-down/experts-down.ref.ts';
import { expertsUpRef } from '../kernels/experts-up/experts-up.ref.ts';
import { outputMatvecRef } from '../kernels/output-matvec/output-matvec.ref.ts';
import { qkvMatvecRef } from '../kernels/qkv-matvec/qkv-matvec.ref.ts';
import { routerMatvecRef } from '../kernels/router-matvec/router-matvec.ref.ts';
import { routeTopK, type Routing } from './ops/routing.ts';
import type { Matrix } from './ops/types.ts';
import type { ReferenceWeights } from './weights.ts';

/** Positions per attention split (gpu/README.md, `attention-decode`). */
const SPLIT_TOKENS = 256;

export interface ReferenceSettings {
  readonly kvRounding: KvType | 'none';
  /** Instead of the model's own number. */
  readonly expertsUsed?: number;
  /** Experts of the layer that give nothing, as in a run-through that does not wait for them. */
  readonly leftOut?: LeftOut;
}

export interface LeftOut {
  has(expert: number): boolean;
  /** The others' weights grow to the sum that all had. */
  readonly renormalise: boolean;
}

/** Keys and values of one layer, `[G, C, Hd]` each. */
export interface LayerCache {
  readonly contextTokens: number;
  readonly keys: Float64Array;
  readonly values: Float64Array;
}

export interface LayerResult {
  readonly hOut: Float64Array; // [D]
  /** MoE layers only. */
  readonly routing?: { readonly ids: Uint32Array; readonly logits: Float64Array };
}

export async function runLayer(
  model: ModelSpec,
  layer: LayerSpec,
  weights: ReferenceWeights,
  settings: ReferenceSettings,
  inverseFrequencies: Float64Array,
  cache: LayerCache,
  residual: Float64Array,
  position: number,
): Promise<LayerResult> {
  const attention = await loadAttention(layer.attention, weights);
  const qkv = qkvMatvecRef({ residual, epsilon: model.rmsEpsilon, ...attention });
  const params: AttentionDecodeParams = {
    nHeads: model.nHeads,
    nKvHeads: model.nKvHeads,
    headWidth: model.headWidth,
    contextTokens: cache.contextTokens,
    clampQkv: model.clampQkv,
    qkNorm: model.qkNorm,
    qNorm: attention.qNorm,
    kNorm: attention.kNorm,
    epsilon: model.rmsEpsilon,
    pairing: model.rope.pairing,
    inverseFrequencies,
    kvRounding: settings.kvRounding,
    attentionScale: model.attentionScale,
    splitTokens: SPLIT_TOKENS,
    sinks: attention.sinks,
    windowTokens: layer.attention.windowTokens,
  };
  const partials = attentionDecodeRef(qkv, position, params, cache.keys, cache.values);
  const attended = attentionReduceRef(partials, model.headWidth);
  const hMid = outputMatvecRef(attended, attention.output, residual, attention.outputBias);
  const norm = await weights.values(layer.ffnNorm);
  if (layer.ffn.kind === 'moe') return runExperts(model, layer.ffn, weights, settings, hMid, norm);
  const hidden = denseUpRef(
    hMid,
    norm,
    model.rmsEpsilon,
    await weights.matrix(layer.ffn.gate),
    await weights.matrix(layer.ffn.up),
  );
  return { hOut: denseDownRef(hidden, await weights.matrix(layer.ffn.down), hMid) };
}

async function runExperts(
  model: ModelSpec,
  ffn: MoeFfnTensors,
  weights: ReferenceWeights,
  settings: ReferenceSettings,
  hMid: Float64Array,
  norm: Float32Array,
): Promise<LayerResult> {
  const epsilon = model.rmsEpsilon;
  const gating = {
    ...ffn.moe,
    nExpertsUsed: settings.expertsUsed ?? ffn.moe.nExpertsUsed,
    selectionBias: await weights.values(ffn.selectionBias),
  };
  const shared = ffn.shared && {
    gate: await weights.matrix(ffn.shared.gate),
    up: await weights.matrix(ffn.shared.up),
    down: await weights.matrix(ffn.shared.down),
    outputGate: await weights.matrix(ffn.shared.outputGate),
  };
  const routed = routerMatvecRef({
    hMid,
    norm,
    epsilon,
    router: await weights.matrix(ffn.router),
    bias: await weights.values(ffn.routerBias),
    shared,
  });
  const biases = ffn.biases && (await expertBiases(ffn.biases, weights, settings.leftOut));
  const experts = new Map<number, { gate: Matrix; up: Matrix; down: Matrix }>();
  for (const id of routeTopK(routed.logits, gating).ids)
    if (settings.leftOut?.has(id)) experts.set(id, nothing(ffn.moe.expertWidth, model.modelWidth));
    else
      experts.set(id, {
        gate: await weights.expert(ffn.gate[id]),
        up: await weights.expert(ffn.up[id]),
        down: await weights.expert(ffn.down[id]),
      });
  const { routing, hidden } = expertsUpRef({
    hMid,
    norm,
    epsilon,
    logits: routed.logits,
    gating,
    gate: (id) => experts.get(id)!.gate,
    up: (id) => experts.get(id)!.up,
    biases,
    activation: ffn.moe.activation,
  });
  const hOut = expertsDownRef({
    hMid,
    routing: settings.leftOut?.renormalise ? { ...routing, weights: renormalised(routing, settings.leftOut) } : routing,
    hidden,
    down: (id) => experts.get(id)!.down,
    biases: biases?.down,
    shared: shared && routed.shared && { ...routed.shared, down: shared.down },
  });
  return { hOut, routing: { ids: routing.ids, logits: routed.logits } };
}

/** By expert id; an expert that is left out adds nothing either. */
async function expertBiases(tensors: NonNullable<MoeFfnTensors['biases']>, weights: ReferenceWeights, leftOut?: LeftOut) {
  const rows = async (tensor: GgufTensor) => {
    const [values, width] = [await weights.values(tensor), tensor.shape[1]];
    return (id: number) => (leftOut?.has(id) ? new Float32Array(width) : values.subarray(id * width, (id + 1) * width));
  };
  return { gate: await rows(tensors.gate), up: await rows(tensors.up), down: await rows(tensors.down) };
}

/** An expert whose output is 0. */
function nothing(expertWidth: number, modelWidth: number): { gate: Matrix; up: Matrix; down: Matrix } {
  const inner: Matrix = { multiply: () => new Float64Array(expertWidth) };
  return { gate: inner, up: inner, down: { multiply: () => new Float64Array(modelWidth) } };
}

function renormalised({ ids, weights }: Routing, leftOut: LeftOut): Float64Array {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const left = weights.reduce((sum, weight, rank) => sum + (leftOut.has(ids[rank]) ? 0 : weight), 0);
  return left > 0 ? weights.map((weight) => (weight * all) / left) : weights;
}

async function loadAttention(tensors: AttentionTensors, weights: ReferenceWeights) {
  return {
    norm: await weights.values(tensors.norm),
    q: await weights.matrix(tensors.q),
    k: await weights.matrix(tensors.k),
    v: await weights.matrix(tensors.v),
    qBias: await weights.values(tensors.qBias),
    kBias: await weights.values(tensors.kBias),
    vBias: await weights.values(tensors.vBias),
    output: await weights.matrix(tensors.output),
    outputBias: await weights.values(tensors.outputBias),
    qNorm: await weights.values(tensors.qNorm),
    kNorm: await weights.values(tensors.kNorm),
    sinks: await weights.values(tensors.sinks),
  };
}
