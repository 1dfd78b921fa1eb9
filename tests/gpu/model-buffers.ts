/**
 * A model's device buffers made on the CPU, as plainly as gpu/README.md says them: with as many shards per matrix and slab, and in
 * whatever slots, as a test asks for. The engine's own loading (weights.ts, residency/) streams and never does this.
 */
import type { ExpertSlice, ModelSpec } from '../../gpu/architectures/types.ts';
import type { GpuDevice } from '../../gpu/device/open-device.ts';
import type { BufferRange } from '../../gpu/device/types.ts';
import { BufferUsage } from '../../gpu/device/usage.ts';
import type { GgufTensor } from '../../gpu/gguf/types.ts';
import { CaseRandom, joinPlanes } from '../../gpu/kernels/cases.ts';
import { quantFormat } from '../../gpu/quant/formats.ts';
import type { KvType } from '../../gpu/quant/kv-types.ts';
import { toPlanes } from '../../gpu/quant/planes.ts';
import type { ComputeType } from '../../gpu/quant/types.ts';
import { ropeInverseFrequencies } from '../../gpu/reference/ops/rope.ts';
import { ReferenceWeights } from '../../gpu/reference/weights.ts';
import type { ExpertSlab, FusedMatrices, LayerBuffers, MatrixBuffer } from '../../gpu/runtime/buffers.ts';
import { kvBytesPerLayer } from '../../gpu/runtime/kv-cache.ts';
import type { PlanContext } from '../../gpu/runtime/plan-context.ts';

export interface TestContextOptions {
  readonly contextTokens: number;
  /** Shards of every matrix that stands by itself. Default 1. */
  readonly matrixShards?: number;
  /** Shards of every slab. Default 1. */
  readonly slabShards?: number;
  /** Slots by this seeded permutation; absent: identity. */
  readonly slotSeed?: number;
  readonly expertsUsed?: number;
  /** Default f16. */
  readonly kvType?: KvType;
}

export async function testPlanContext(gpu: GpuDevice, model: ModelSpec, options: TestContextOptions): Promise<PlanContext> {
  const builder = new Builder(gpu, model, options);
  const { embedding, head, outputNorm, rope } = model;
  const frequencies = ropeInverseFrequencies(rope, await builder.optional(rope.factorsTensor));
  const norm = (await builder.vector(outputNorm)).map((gain) => gain * model.logitScale);
  return {
    gpu,
    model,
    contextTokens: options.contextTokens,
    kvType: options.kvType ?? 'f16',
    expertsUsed: model.layers.map(({ ffn }) => (ffn.kind === 'moe' ? (options.expertsUsed ?? ffn.moe.nExpertsUsed) : 0)),
    routingMargins: model.layers.map(() => 0),
    state: await builder.upload(new Uint8Array(256)),
    buffers: {
      embedding: await builder.matrix(embedding),
      head: await builder.matrix(head),
      globals: await builder.upload(Float32Array.from([...norm, ...frequencies])),
      ropeOffset: norm.length,
      layers: await Promise.all(model.layers.map((layer) => builder.layer(layer.index))),
    },
  };
}

class Builder {
  readonly #gpu: GpuDevice;
  readonly #model: ModelSpec;
  readonly #options: TestContextOptions;
  readonly #weights: ReferenceWeights;
  readonly #random: CaseRandom;

  constructor(gpu: GpuDevice, model: ModelSpec, options: TestContextOptions) {
    this.#gpu = gpu;
    this.#model = model;
    this.#options = options;
    this.#weights = new ReferenceWeights(model.file, 2 ** 30);
    this.#random = new CaseRandom(options.slotSeed ?? 0);
  }

  vector(tensor: GgufTensor): Promise<Float32Array> {
    return this.#weights.values(tensor);
  }

  async optional(tensor: GgufTensor | undefined): Promise<Float32Array | undefined> {
    return tensor && this.vector(tensor);
  }

  async upload(data: Uint8Array | Float32Array | Uint32Array): Promise<BufferRange> {
    const bytes = new Uint8Array(Math.ceil(data.byteLength / 16) * 16);
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    const usage = BufferUsage.STORAGE | BufferUsage.COPY_DST | BufferUsage.COPY_SRC;
    const request = { label: 'test weights', sizeBytes: bytes.length, usage, account: 'weights' as const };
    const buffer = await this.#gpu.buffers.allocate(request);
    this.#gpu.device.queue.writeBuffer(buffer, 0, bytes);
    return { buffer, offsetBytes: 0, sizeBytes: bytes.length };
  }

  async #blocks(tensor: GgufTensor, offsetBytes = tensor.offsetBytes, sizeBytes = tensor.sizeBytes): Promise<Uint8Array> {
    return this.#model.file.sources[tensor.part].read(offsetBytes, sizeBytes);
  }

  async #planes(tensor: GgufTensor): Promise<Uint8Array> {
    return planesOf(tensor, await this.#blocks(tensor));
  }

  async matrix(tensor: GgufTensor): Promise<MatrixBuffer> {
    const [rows, cols] = tensor.shape;
    const blocks = await this.#blocks(tensor);
    const rowBytes = blocks.length / rows;
    const perShard = Math.ceil(rows / (this.#options.matrixShards ?? 1));
    const shards = [];
    for (let firstRow = 0; firstRow < rows; firstRow += perShard) {
      const part = blocks.subarray(firstRow * rowBytes, (firstRow + perShard) * rowBytes);
      const range = await this.upload(planesOf(tensor, part));
      shards.push({ range, firstRow, rows: part.length / rowBytes });
    }
    return { type: tensor.type as ComputeType, rows, cols, shards };
  }

  async fused(tensors: readonly GgufTensor[]): Promise<FusedMatrices> {
    const region = joinPlanes(await Promise.all(tensors.map((tensor) => this.#planes(tensor))));
    const parts = tensors.map(({ type, shape }, i) => ({
      type: type as ComputeType,
      rows: shape.length === 1 ? 1 : shape[0],
      cols: shape[shape.length - 1],
      baseVec4: region.basesVec4[i],
    }));
    return { range: await this.upload(region.bytes), parts };
  }

  async layer(index: number): Promise<LayerBuffers> {
    const { attention, ffn, ffnNorm } = this.#model.layers[index];
    const moe = ffn.kind === 'moe' ? ffn : undefined;
    const { contextTokens, kvType = 'f16' } = this.#options;
    const kv = () => this.upload(new Uint8Array(kvBytesPerLayer(this.#model, kvType, contextTokens)));
    return {
      vectors: await this.#vectors({
        attentionNorm: attention.norm,
        qBias: attention.qBias,
        kBias: attention.kBias,
        vBias: attention.vBias,
        outputBias: attention.outputBias,
        qNorm: attention.qNorm,
        kNorm: attention.kNorm,
        ffnNorm,
        selectionBias: moe?.selectionBias,
        sinks: attention.sinks,
        routerBias: moe?.routerBias,
        gateBiases: moe?.biases?.gate,
        upBiases: moe?.biases?.up,
        downBiases: moe?.biases?.down,
      }),
      qkv: await this.fused([attention.q, attention.k, attention.v]),
      output: await this.matrix(attention.output),
      keys: await kv(),
      values: await kv(),
      ffn:
        ffn.kind === 'dense'
          ? { kind: 'dense', gateUp: await this.fused([ffn.gate, ffn.up]), down: await this.matrix(ffn.down), width: ffn.width }
          : {
              kind: 'moe',
              router: await this.matrix(ffn.router),
              slab: await this.#slab(index, ffn.moe.nExperts, [ffn.gate, ffn.up, ffn.down]),
              shared: ffn.shared && {
                up: await this.fused(
                  [ffn.shared.gate, ffn.shared.up, ffn.shared.outputGate].filter((tensor) => tensor !== undefined),
                ),
                down: await this.matrix(ffn.shared.down),
                width: ffn.moe.sharedWidth,
                hasOutputGate: ffn.shared.outputGate !== undefined,
              },
            },
    };
  }

  async #vectors<Name extends string>(tensors: Record<Name, GgufTensor | undefined>) {
    const offsets = {} as Record<Name, number>;
    const values: number[] = [];
    for (const [name, tensor] of Object.entries(tensors) as [Name, GgufTensor | undefined][]) {
      offsets[name] = tensor ? values.length : -1;
      if (tensor) for (const value of await this.vector(tensor)) values.push(value);
    }
    return { range: await this.upload(Float32Array.from(values)), ...offsets };
  }

  async #slab(layer: number, nExperts: number, projections: readonly (readonly ExpertSlice[])[]): Promise<ExpertSlab> {
    const slots = await Promise.all(
      Array.from({ length: nExperts }, async (_, expert) => {
        const slices = projections.map((slicesOf) => slicesOf[expert]);
        const planes = slices.map(async ({ tensor, offsetBytes, sizeBytes }) =>
          planesOf(tensor, await this.#blocks(tensor, offsetBytes, sizeBytes)),
        );
        return joinPlanes(await Promise.all(planes), 16);
      }),
    );
    const slotStrideBytes = Math.ceil(slots[0].bytes.length / 256) * 256;
    const slotsPerShard = Math.ceil(nExperts / (this.#options.slabShards ?? 1));
    const nShards = Math.ceil(nExperts / slotsPerShard);
    const shards = Array.from({ length: nShards }, () => new Uint8Array(slotsPerShard * slotStrideBytes));
    const table = new Uint32Array((layer + 1) * nExperts).fill(0xffffffff);
    const order = this.#options.slotSeed === undefined ? slots.map((_, i) => i) : this.#random.permutation(nExperts);
    order.forEach((slot, expert) => {
      const shard = Math.floor(slot / slotsPerShard);
      shards[shard].set(slots[expert].bytes, (slot % slotsPerShard) * slotStrideBytes);
      table[layer * nExperts + expert] = (shard << 24) | (slot % slotsPerShard);
    });
    const part = (projection: number) => {
      const { shape, type } = projections[projection][0].tensor;
      const [rows, cols] = shape.slice(-2);
      return { type: type as ComputeType, rows, cols, offsetVec4: slots[0].basesVec4[projection] };
    };
    return {
      shards: await Promise.all(shards.map((shard) => this.upload(shard))),
      slotsPerShard,
      slotStrideBytes,
      gate: part(0),
      up: part(1),
      down: part(2),
      table: await this.upload(table),
      tableOffset: layer * nExperts,
    };
  }
}

function planesOf(tensor: GgufTensor, blocks: Uint8Array): Uint8Array {
  const format = quantFormat(tensor.type as ComputeType);
  return toPlanes(format, blocks, blocks.length / format.blockBytes);
}
