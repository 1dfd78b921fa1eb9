/**
 * A ModelSpec as the planner's numbers, added up from the layouts that the loader and the plans allocate by: what is predicted here is what
 * the ledger will show.
 */
import { expertsUsed } from '../../architectures/experts-used.ts';
import type { LayerSpec, ModelSpec } from '../../architectures/types.ts';
import { alignUp } from '../../device/usage.ts';
import { REPACK_HEADER_BYTES } from '../../kernels/expert-repack/expert-repack.ts';
import { UNIFORM_SLOT_BYTES } from '../../kernels/uniforms.ts';
import type { KvType } from '../../quant/kv-types.ts';
import { decodeActivationsLayout, MAX_STEPS, RING_HEAD_BYTES, STATE_BYTES } from '../../runtime/decode-activations.ts';
import { SUBMISSIONS_IN_FLIGHT } from '../../runtime/decode-run.ts';
import { kvBytesPerLayer } from '../../runtime/kv-cache.ts';
import { activationBytes, CHUNK_UNIFORM_BYTES, largestChunk } from '../../runtime/prefill-plan-activations.ts';
import { fusedLayout, idleVectorBytes, matrixLayout, vectorsLayout, type MatrixLayout } from '../../runtime/weight-layout.ts';
import { stagedParts } from '../cache/expert-store.ts';
import { slabGeometry } from '../slab-geometry.ts';
import type { LayerNumbers, ModelNumbers } from './types.ts';

export interface AdapterLimits {
  readonly software: boolean;
  readonly maxStorageBindingBytes: number;
  readonly maxBufferBytes: number;
}

/** The buffer pool rounds sizes up to this. */
const held = (sizeBytes: number) => alignUp(sizeBytes, 16);
const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

/** The settings that a model's bytes depend on. */
export interface NumericSettings {
  /** Instead of the model's own K. */
  readonly expertsUsed?: number;
  /** Default `f16`. */
  readonly kvType?: KvType;
}

/** Throws `gpu.limits` where one tensor is above what the adapter binds, `model.metadata` where the model has not as many experts, `engine.kv-type`. */
export function modelNumbers(
  model: ModelSpec,
  limits: AdapterLimits,
  { expertsUsed: wantedExperts, kvType = 'f16' }: NumericSettings = {},
): ModelNumbers {
  const bindingBytes = Math.min(limits.maxStorageBindingBytes, limits.maxBufferBytes);
  const used = expertsUsed(model, wantedExperts);
  const cut = new Cut(model, limits.maxStorageBindingBytes, bindingBytes);
  const layers = model.layers.flatMap(({ ffn, index }): LayerNumbers[] => {
    if (ffn.kind !== 'moe') return [];
    const { slotStrideBytes } = slabGeometry(index, ffn, 1, bindingBytes);
    const fileBytes = Math.max(...ffn.gate.map((gate, i) => gate.sizeBytes + ffn.up[i].sizeBytes + ffn.down[i].sizeBytes));
    const inFile = Math.max(...ffn.gate.map((_, expert) => stagedParts({ ffn, expert }).sizeBytes));
    const stagedBytes = Math.max(REPACK_HEADER_BYTES + inFile, slotStrideBytes);
    const slotsPerShard = Math.floor(bindingBytes / slotStrideBytes);
    return [{ slotBytes: slotStrideBytes, fileBytes, stagedBytes, slotsPerShard }];
  });
  const nExperts = Math.max(0, ...model.layers.map(({ ffn }) => (ffn.kind === 'moe' ? ffn.moe.nExperts : 0)));
  const decode = (contextTokens: number) => decodeActivationsLayout({ model, contextTokens, expertsUsed: used });
  return {
    layers,
    nExperts,
    nUsed: Math.max(0, ...used),
    trainedContextTokens: model.trainedContextTokens,
    weightsBytes: cut.weightsBytes,
    weightsTouchedBytes: cut.touchedBytes,
    nDispatches: 2 + sum(model.layers.map(({ ffn }) => (ffn.kind === 'moe' ? 6 : 5))) + cut.head.shards.length,
    kvType,
    kvBytes: (contextTokens) => 2 * model.nLayers * held(kvBytesPerLayer(model, kvType, contextTokens)),
    activationBytes(contextTokens, chunkTokens) {
      const chunk = largestChunk(model, used, chunkTokens, limits.maxStorageBindingBytes);
      const buffers = [...Object.values(decode(contextTokens).sizesBytes), ...Object.values(activationBytes(model, used, chunk))];
      return sum(buffers.map(held)) + held(CHUNK_UNIFORM_BYTES) + STATE_BYTES + cut.uniformBytes;
    },
    repacksOnGpu: !limits.software,
    passingBytes(chunkTokens) {
      const chunk = largestChunk(model, used, chunkTokens, limits.maxStorageBindingBytes);
      const record = RING_HEAD_BYTES + 4 * (decode(1).recordWords + nExperts);
      return {
        readbackBytes: held(Math.max(record, 4 * model.vocabularySize)) + held(activationBytes(model, used, chunk).expertIds),
        // At most: the steps of a slotted layer are there twice, for its slots and for what passes.
        uniformBytes: 2 * UNIFORM_SLOT_BYTES * layers.length,
      };
    },
    readbackBytes: SUBMISSIONS_IN_FLIGHT * held(MAX_STEPS * decode(1).ringStrideBytes),
    tableBytes: layers.length === 0 ? 0 : held(4 * model.nLayers * nExperts),
    transitTableBytes: layers.length === 0 ? 0 : held(4 * nExperts),
  };
}

/** The tensors in buffers, as weights.ts cuts them. */
class Cut {
  readonly head: MatrixLayout;
  readonly weightsBytes: number;
  readonly touchedBytes: number;
  readonly uniformBytes: number;
  readonly #fusedLimit: number;
  readonly #matrixLimit: number;

  constructor(model: ModelSpec, fusedLimit: number, matrixLimit: number) {
    this.#fusedLimit = fusedLimit;
    this.#matrixLimit = matrixLimit;
    const embedding = matrixLayout(model.embedding, matrixLimit);
    this.head = model.tiedHead ? embedding : matrixLayout(model.head, matrixLimit);
    const globals = held(4 * (model.outputNorm.shape[0] + model.rope.dims / 2));
    const layers = model.layers.map((layer) => this.#layer(layer));
    const layerBytes = sum(layers.map(({ bytes }) => bytes));
    this.weightsBytes = bytesOf(embedding) + (model.tiedHead ? 0 : bytesOf(this.head)) + globals + layerBytes;
    const idleBytes = sum(
      model.layers.map((layer) => idleVectorBytes(layer, layer.ffn.kind === 'moe' ? layer.ffn.moe.nExpertsUsed : 0)),
    );
    this.touchedBytes = bytesOf(this.head) + globals + layerBytes - idleBytes;
    const decodeUniforms = embedding.shards.length + this.head.shards.length + sum(layers.map(({ decodeUniforms: n }) => n));
    const prefillUniforms = embedding.shards.length + sum(layers.map(({ prefillUniforms: n }) => n));
    this.uniformBytes = UNIFORM_SLOT_BYTES * (decodeUniforms + prefillUniforms);
  }

  /** Bytes, and the uniform slots of its dispatches: one per matmul of prefill, two per dispatch pair of experts. */
  #layer(layer: LayerSpec): { bytes: number; decodeUniforms: number; prefillUniforms: number } {
    const { attention, ffn, index } = layer;
    const matrix = (tensor: LayerSpec['attention']['q']) => matrixLayout(tensor, this.#matrixLimit);
    const fused = (label: string, tensors: LayerSpec['attention']['q'][]) =>
      held(fusedLayout(label, tensors, this.#fusedLimit).sizeBytes);
    const output = matrix(attention.output);
    const bytes =
      held(4 * vectorsLayout(layer).length) +
      fused(`layer ${index} q, k, v`, [attention.q, attention.k, attention.v]) +
      bytesOf(output);
    const attentionUniforms = 3 + 1 + output.shards.length;
    if (ffn.kind === 'dense') {
      const down = matrix(ffn.down);
      const gateUp = fused(`layer ${index} gate, up`, [ffn.gate, ffn.up]);
      return {
        bytes: bytes + gateUp + bytesOf(down),
        decodeUniforms: 0,
        prefillUniforms: attentionUniforms + 2 + down.shards.length,
      };
    }
    const router = matrix(ffn.router);
    const { shared } = ffn;
    const pairs = Math.ceil(slabGeometry(index, ffn, ffn.moe.nExperts, this.#matrixLimit).nShards / 2);
    const own = { decodeUniforms: 2, prefillUniforms: attentionUniforms + router.shards.length + 2 * pairs };
    if (!shared) return { bytes: bytes + bytesOf(router), ...own };
    const ups = shared.outputGate ? [shared.gate, shared.up, shared.outputGate] : [shared.gate, shared.up];
    const down = matrix(shared.down);
    return {
      bytes: bytes + bytesOf(router) + fused(`layer ${index} shared expert`, ups) + bytesOf(down),
      decodeUniforms: 2,
      prefillUniforms: own.prefillUniforms + ups.length + down.shards.length,
    };
  }
}

function bytesOf({ shards }: MatrixLayout): number {
  return sum(shards.map(({ sizeBytes }) => held(sizeBytes)));
}
