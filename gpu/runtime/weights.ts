/**
 * Loads a model onto the device: every tensor in planes, norms and biases gathered per layer, matrices above the binding limit in row
 * shards, experts in slabs. One call, one owner: `dispose` releases all of it.
 */
import type { LayerSpec, ModelSpec } from '../architectures/types.ts';
import type { GpuDevice } from '../device/open-device.ts';
import type { BufferRange } from '../device/types.ts';
import { alignUp, BufferUsage, RANGE_ALIGNMENT_BYTES } from '../device/usage.ts';
import { engineError } from '../errors.ts';
import type { GgufTensor } from '../gguf/types.ts';
import { invariant } from '../invariant.ts';
import { GROUP_ROWS } from '../kernels/head-matvec/head-matvec.ts';
import { dequantise, quantFormat } from '../quant/formats.ts';
import { planesSizeBytes } from '../quant/planes.ts';
import type { ComputeType } from '../quant/types.ts';
import { ropeInverseFrequencies } from '../reference/ops/rope.ts';
import { loadSlab, type SlotTable } from '../residency/slabs.ts';
import { ABSENT_SLOT } from '../residency/slab-geometry.ts';
import type { FusedMatrices, LayerBuffers, LayerVectors, MatrixBuffer, ModelBuffers } from './buffers.ts';
import { allocateKv, type KvLayer } from './kv-cache.ts';
import { Uploader } from './upload.ts';

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

  async #vectors({ attention, ffnNorm, index }: LayerSpec): Promise<LayerVectors> {
    const values: number[] = [];
    const place = async (tensor: GgufTensor | undefined) => {
      if (!tensor) return -1;
      while (values.length % 4 !== 0) values.push(0); // norms are read as vec4
      const offset = values.length;
      for (const value of await this.#values(tensor)) values.push(value);
      return offset;
    };
    const offsets = {
      attentionNorm: await place(attention.norm),
      qBias: await place(attention.qBias),
      kBias: await place(attention.kBias),
      vBias: await place(attention.vBias),
      outputBias: await place(attention.outputBias),
      qNorm: await place(attention.qNorm),
      kNorm: await place(attention.kNorm),
      ffnNorm: await place(ffnNorm),
    };
    return { range: await this.#small(`layer ${index} vectors`, Float32Array.from(values)), ...offsets };
  }

  async #matrix(tensor: GgufTensor): Promise<MatrixBuffer> {
    const { type, rows, cols } = matrixShape(tensor);
    const limit = Math.min(this.#gpu.capabilities.maxStorageBindingBytes, this.#gpu.capabilities.maxBufferBytes);
    const perShard = rowsPerShard(tensor, type, rows, cols, limit);
    const rowBlocks = cols / quantFormat(type).blockWeights;
    const shards = [];
    for (let firstRow = 0; firstRow < rows; firstRow += perShard) {
      const n = Math.min(perShard, rows - firstRow);
      const buffer = await this.#allocate(tensor.name, planesSizeBytes(quantFormat(type), n * cols), 'weights');
      const offsetBytes = tensor.offsetBytes + firstRow * rowBlocks * quantFormat(type).blockBytes;
      await this.#uploader.blocks({ type, part: tensor.part, offsetBytes, nBlocks: n * rowBlocks }, buffer, 0);
      shards.push({ range: whole(buffer), firstRow, rows: n });
    }
    return { type, rows, cols, shards };
  }

  async #fused(label: string, tensors: readonly GgufTensor[]): Promise<FusedMatrices> {
    let sizeBytes = 0;
    const parts = tensors.map((tensor) => {
      const shape = matrixShape(tensor);
      const baseVec4 = sizeBytes / 16;
      sizeBytes = alignUp(sizeBytes + planesSizeBytes(quantFormat(shape.type), shape.rows * shape.cols), RANGE_ALIGNMENT_BYTES);
      return { ...shape, baseVec4 };
    });
    const allowedBytes = this.#gpu.capabilities.maxStorageBindingBytes;
    if (sizeBytes > allowedBytes) {
      throw engineError(
        'gpu.limits',
        `The weights "${label}" need ${sizeBytes} bytes, but this GPU allows ${allowedBytes} bytes per binding. Choose a smaller model or a more strongly quantised file.`,
        { label, neededBytes: sizeBytes, allowedBytes },
      );
    }
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

/** `[rows, cols]`; a vector counts as one row. `readModel` has checked the type. */
function matrixShape({ shape, type }: GgufTensor): { type: ComputeType; rows: number; cols: number } {
  return { type: type as ComputeType, rows: shape.length === 1 ? 1 : shape[0], cols: shape[shape.length - 1] };
}

function rowsPerShard(tensor: GgufTensor, type: ComputeType, rows: number, cols: number, limit: number): number {
  const format = quantFormat(type);
  const most = (n: number) => planesSizeBytes(format, n * cols) <= limit;
  if (most(rows)) return rows;
  const rowBytes = (cols / format.blockWeights) * format.blockBytes;
  const nShards = Math.ceil(tensor.sizeBytes / (limit - format.planes.length * 16));
  // Whole groups of the head's rows in every shard; a shard a little longer than its share may not fit, then there is one more.
  const share = alignUp(Math.ceil(rows / nShards), GROUP_ROWS);
  const perShard = most(share) ? share : share - GROUP_ROWS;
  if (perShard < GROUP_ROWS || !most(perShard)) {
    throw engineError(
      'gpu.limits',
      `The tensor "${tensor.name}" has rows of ${rowBytes} bytes; this GPU allows ${limit} bytes per binding, which must hold ${GROUP_ROWS} of them.`,
      { tensor: tensor.name, neededBytes: rowBytes, allowedBytes: limit },
    );
  }
  return perShard;
}

function whole(buffer: GPUBuffer): BufferRange {
  return { buffer, offsetBytes: 0, sizeBytes: buffer.size };
}
