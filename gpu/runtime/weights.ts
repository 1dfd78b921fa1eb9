/**
 * Loads a model onto the device: every tensor in planes, norms and biases gathered per layer, matrices above the binding limit in row
 * shards, experts in slabs. One call, one owner: `dispose` releases all of it.
 */
import type { LayerSpec, ModelSpec } from '../architectures/types.ts';
import type { GpuDevice } from '../device/open-device.ts';
import type { BufferRange } from '../device/types.ts';
import { BufferUsage } from '../device/usage.ts';
import type { GgufTensor } from '../gguf/types.ts';
import { invariant } from '../invariant.ts';
import { dequantise, quantFormat } from '../quant/formats.ts';
import type { ComputeType } from '../quant/types.ts';
import { ropeInverseFrequencies } from '../reference/ops/rope.ts';
import { loadSlab, type SlotTable } from '../residency/slabs.ts';
import { ABSENT_SLOT } from '../residency/slab-geometry.ts';
import type { FusedMatrices, LayerBuffers, LayerVectors, MatrixBuffer, ModelBuffers } from './buffers.ts';
import { allocateKv, type KvLayer } from './kv-cache.ts';
import { Uploader } from './upload.ts';
import { fusedLayout, matrixLayout, vectorsLayout, type VectorName } from './weight-layout.ts';

export interface LoadBuffersOptions {
  readonly contextTokens: number;
  /** Tests: experts in slots by this seeded permutation. */
  readonly slotPermutationSeed?: number;
  /** File bytes brought to the device so far, of all. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

export interface LoadedBuffers extends ModelBuffers {
  dispose(): void;
}

const WEIGHT_USAGE = BufferUsage.STORAGE | BufferUsage.COPY_DST | BufferUsage.COPY_SRC;

/** Throws `gpu.limits`, `gpu.out-of-memory`, `file.read`; what was allocated until then is released. */
export async function loadModelBuffers(gpu: GpuDevice, model: ModelSpec, options: LoadBuffersOptions): Promise<LoadedBuffers> {
  const loader = new Loader(gpu, model, options);
  try {
    return await loader.load();
  } catch (error) {
    loader.release();
    throw error;
  }
}

class Loader {
  readonly #gpu: GpuDevice;
  readonly #model: ModelSpec;
  readonly #options: LoadBuffersOptions;
  readonly #uploader: Uploader;
  readonly #owned: GPUBuffer[] = [];

  constructor(gpu: GpuDevice, model: ModelSpec, options: LoadBuffersOptions) {
    this.#gpu = gpu;
    this.#model = model;
    this.#options = options;
    let doneBytes = 0;
    const totalBytes = [...model.file.tensors.values()].reduce((sum, tensor) => sum + tensor.sizeBytes, 0);
    this.#uploader = new Uploader(gpu, model.file, options.signal, (bytes) => {
      doneBytes += bytes;
      options.onProgress?.(doneBytes, totalBytes);
    });
  }

  async load(): Promise<LoadedBuffers> {
    const model = this.#model;
    const kv = await allocateKv(this.#gpu, model, this.#options.contextTokens); // first: the likeliest to be refused
    this.#owned.push(...kv.flatMap(({ keys, values }) => [keys.buffer, values.buffer]));
    const table = await this.#slotTable();
    const embedding = await this.#matrix(model.embedding);
    const head = model.tiedHead ? embedding : await this.#matrix(model.head);
    const norm = await this.#values(model.outputNorm);
    const factors = model.rope.factorsTensor && (await this.#values(model.rope.factorsTensor));
    const globals = await this.#small('globals', Float32Array.from([...norm, ...ropeInverseFrequencies(model.rope, factors)]));
    const layers: LayerBuffers[] = [];
    for (const layer of model.layers) layers.push(await this.#layer(layer, kv[layer.index], table));
    if (table) await this.#uploader.data(table.entries, table.range.buffer);
    await this.#gpu.idle();
    return { embedding, head, globals, ropeOffset: norm.length, layers, dispose: () => this.release() };
  }

  release(): void {
    for (const buffer of this.#owned.splice(0)) this.#gpu.buffers.release(buffer);
  }

  async #layer(layer: LayerSpec, kv: KvLayer, table: SlotTable | null): Promise<LayerBuffers> {
    const { attention, ffn, index } = layer;
    const common = {
      vectors: await this.#vectors(layer),
      qkv: await this.#fused(`layer ${index} q, k, v`, [attention.q, attention.k, attention.v]),
      output: await this.#matrix(attention.output),
      keys: kv.keys,
      values: kv.values,
    };
    if (ffn.kind === 'dense') {
      const gateUp = await this.#fused(`layer ${index} gate, up`, [ffn.gate, ffn.up]);
      return { ...common, ffn: { kind: 'dense', gateUp, down: await this.#matrix(ffn.down), width: ffn.width } };
    }
    const router = await this.#matrix(ffn.router);
    invariant(table, 'a model with a MoE layer has a slot table');
    const allocate = (label: string, sizeBytes: number) => this.#allocate(label, sizeBytes, 'experts');
    const slab = await loadSlab(this.#gpu, this.#uploader, index, ffn, table, this.#options.slotPermutationSeed, allocate);
    if (!ffn.shared) return { ...common, ffn: { kind: 'moe', router, slab } };
    const { gate, up, down, outputGate } = ffn.shared;
    const shared = {
      up: await this.#fused(`layer ${index} shared expert`, outputGate ? [gate, up, outputGate] : [gate, up]),
      down: await this.#matrix(down),
      width: ffn.moe.sharedWidth,
      hasOutputGate: outputGate !== undefined,
    };
    return { ...common, ffn: { kind: 'moe', router, slab, shared } };
  }

  /** All MoE layers of a model have the same number of experts; the row of a dense layer stays absent. */
  async #slotTable(): Promise<SlotTable | null> {
    const moe = this.#model.layers.find(({ ffn }) => ffn.kind === 'moe')?.ffn;
    if (moe?.kind !== 'moe') return null;
    const entries = new Uint32Array(this.#model.nLayers * moe.moe.nExperts).fill(ABSENT_SLOT);
    const buffer = await this.#allocate('slot table', entries.byteLength, 'experts');
    return { entries, range: whole(buffer) };
  }

  async #vectors(layer: LayerSpec): Promise<LayerVectors> {
    const { length, places } = vectorsLayout(layer);
    const values = new Float32Array(length);
    for (const { tensor, offset } of places) values.set(await this.#values(tensor), offset);
    const at = (wanted: VectorName) => places.find(({ name }) => name === wanted)?.offset ?? -1;
    return {
      range: await this.#small(`layer ${layer.index} vectors`, values),
      attentionNorm: at('attentionNorm'),
      qBias: at('qBias'),
      kBias: at('kBias'),
      vBias: at('vBias'),
      outputBias: at('outputBias'),
      qNorm: at('qNorm'),
      kNorm: at('kNorm'),
      ffnNorm: at('ffnNorm'),
    };
  }

  async #matrix(tensor: GgufTensor): Promise<MatrixBuffer> {
    const limit = Math.min(this.#gpu.capabilities.maxStorageBindingBytes, this.#gpu.capabilities.maxBufferBytes);
    const { type, rows, cols, shards: places } = matrixLayout(tensor, limit);
    const rowBlocks = cols / quantFormat(type).blockWeights;
    const shards = [];
    for (const { firstRow, rows: nRows, sizeBytes } of places) {
      const buffer = await this.#allocate(tensor.name, sizeBytes, 'weights');
      const offsetBytes = tensor.offsetBytes + firstRow * rowBlocks * quantFormat(type).blockBytes;
      await this.#uploader.blocks({ type, part: tensor.part, offsetBytes, nBlocks: nRows * rowBlocks }, buffer, 0);
      shards.push({ range: whole(buffer), firstRow, rows: nRows });
    }
    return { type, rows, cols, shards };
  }

  async #fused(label: string, tensors: readonly GgufTensor[]): Promise<FusedMatrices> {
    const { sizeBytes, parts } = fusedLayout(label, tensors, this.#gpu.capabilities.maxStorageBindingBytes);
    const buffer = await this.#allocate(label, sizeBytes, 'weights');
    for (const [i, { part, offsetBytes }] of tensors.entries()) {
      const { type, rows, cols, baseVec4 } = parts[i];
      const nBlocks = (rows * cols) / quantFormat(type).blockWeights;
      await this.#uploader.blocks({ type, part, offsetBytes, nBlocks }, buffer, baseVec4 * 16);
    }
    return { range: whole(buffer), parts };
  }

  async #small(label: string, values: Float32Array<ArrayBuffer>): Promise<BufferRange> {
    const buffer = await this.#allocate(label, values.byteLength, 'weights');
    await this.#uploader.data(values, buffer);
    return whole(buffer);
  }

  /** f32 values of a norm, a bias or the RoPE factors. */
  async #values(tensor: GgufTensor): Promise<Float32Array> {
    const bytes = await this.#model.file.sources[tensor.part].read(tensor.offsetBytes, tensor.sizeBytes, this.#options.signal);
    return dequantise(tensor.type as ComputeType, bytes);
  }

  async #allocate(label: string, sizeBytes: number, account: 'weights' | 'experts'): Promise<GPUBuffer> {
    const buffer = await this.#gpu.buffers.allocate({ label, sizeBytes, usage: WEIGHT_USAGE, account });
    this.#owned.push(buffer);
    return buffer;
  }
}

function whole(buffer: GPUBuffer): BufferRange {
  return { buffer, offsetBytes: 0, sizeBytes: buffer.size };
}
