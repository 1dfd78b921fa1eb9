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
import type { KvType } from '../quant/kv-types.ts';
import type { ComputeType } from '../quant/types.ts';
import { ropeInverseFrequencies } from '../reference/ops/rope.ts';
import { SlotTable } from '../residency/cache/slot-table.ts';
import { residencyFootprint, type MoeLayerPlan, type ResidencyFootprint } from '../residency/footprint.ts';
import { firstExperts } from '../residency/first-experts.ts';
import { allocateShards, expertSlab, fillSlots } from '../residency/slabs.ts';
import { slotOrder } from '../residency/slab-geometry.ts';
import { allResident, type ResidencyPlan } from '../residency/types.ts';
import type { ExpertSlab, FusedMatrices, LayerBuffers, LayerVectors, MatrixBuffer, ModelBuffers } from './buffers.ts';
import { allocateKv, type KvLayer } from './kv-cache.ts';
import { Uploader } from './upload.ts';
import { fusedLayout, matrixLayout, vectorsLayout, type VectorName } from './weight-layout.ts';

export interface LoadBuffersOptions {
  readonly contextTokens: number;
  /** Default `f16`. */
  readonly kvType?: KvType;
  /** Default: every expert in its own slot. */
  readonly residency?: ResidencyPlan;
  /** K per layer of the model where it is not the model's own. */
  readonly expertsUsed?: readonly number[];
  /** Per MoE layer, uses of each expert in earlier answers: the most used ones get the slots. */
  readonly warmCounts?: readonly ArrayLike<number>[];
  /** Tests: experts in slots by this seeded permutation. */
  readonly slotPermutationSeed?: number;
  /** File bytes brought to the device so far, of all. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

/** What the cache of a model with layers that are not resident starts from. */
export interface LoadedExperts {
  readonly footprint: ResidencyFootprint;
  /** null: the model has no experts. */
  readonly table: SlotTable | null;
  /** Of a slotted layer: who is in slot i. */
  readonly occupants: ReadonlyMap<number, readonly number[]>;
  /** Shards of the transit slab and the table that prefill reads it by, u32 [E]; null: all is resident. */
  readonly transit: { readonly shards: readonly BufferRange[]; readonly table: BufferRange } | null;
}

export interface LoadedBuffers extends ModelBuffers {
  readonly experts: LoadedExperts;
  dispose(): void;
}

const WEIGHT_USAGE = BufferUsage.STORAGE | BufferUsage.COPY_DST | BufferUsage.COPY_SRC;

/** Throws `gpu.limits`, `gpu.out-of-memory`, `file.read`; what was allocated until then is released. */
export async function loadModelBuffers(gpu: GpuDevice, model: ModelSpec, options: LoadBuffersOptions): Promise<LoadedBuffers> {
  const loader = new Loader(gpu, model, options);
  try {
    return await loader.load();
  } catch (error) {
    await loader.stop();
    throw error;
  }
}

class Loader {
  readonly #gpu: GpuDevice;
  readonly #model: ModelSpec;
  readonly #options: LoadBuffersOptions;
  readonly #uploader: Uploader;
  readonly #owned: GPUBuffer[] = [];
  readonly #footprint: ResidencyFootprint;
  readonly #occupants = new Map<number, readonly number[]>();

  constructor(gpu: GpuDevice, model: ModelSpec, options: LoadBuffersOptions) {
    this.#gpu = gpu;
    this.#model = model;
    this.#options = options;
    const { capabilities } = gpu;
    const limit = Math.min(capabilities.maxStorageBindingBytes, capabilities.maxBufferBytes);
    const moe = model.layers.map(({ ffn }) => (ffn.kind === 'moe' ? ffn.moe.nExpertsUsed : 0));
    const plan = options.residency ?? allResident(moe.filter((n) => n > 0).length);
    this.#footprint = residencyFootprint(model, plan, options.expertsUsed ?? moe, limit);
    let doneBytes = 0;
    const allBytes = [...model.file.tensors.values()].reduce((sum, tensor) => sum + tensor.sizeBytes, 0);
    const totalBytes = allBytes - this.#footprint.layers.reduce((sum, layer) => sum + absentFileBytes(layer), 0);
    this.#uploader = new Uploader(gpu, model.file, options.signal, (bytes) => {
      doneBytes += bytes;
      options.onProgress?.(doneBytes, totalBytes);
    });
  }

  async load(): Promise<LoadedBuffers> {
    const model = this.#model;
    const { contextTokens, kvType = 'f16' } = this.#options;
    const kv = await allocateKv(this.#gpu, model, kvType, contextTokens); // first: the likeliest to be refused
    this.#owned.push(...kv.flatMap(({ keys, values }) => [keys.buffer, values.buffer]));
    const table = await this.#slotTable();
    const transit = await this.#transit();
    const embedding = await this.#matrix(model.embedding);
    const head = model.tiedHead ? embedding : await this.#matrix(model.head);
    // The last norm takes the logits' scale: the head is linear.
    const norm = (await this.#values(model.outputNorm)).map((gain) => gain * model.logitScale);
    const factors = model.rope.factorsTensor && (await this.#values(model.rope.factorsTensor));
    const globals = await this.#small('globals', Float32Array.from([...norm, ...ropeInverseFrequencies(model.rope, factors)]));
    const layers: LayerBuffers[] = [];
    for (const layer of model.layers) layers.push(await this.#layer(layer, kv[layer.index], table, transit));
    await this.#uploader.settled();
    table?.flush(this.#gpu.device.queue);
    await this.#gpu.idle();
    const experts = { footprint: this.#footprint, table, occupants: this.#occupants, transit };
    return { embedding, head, globals, ropeOffset: norm.length, layers, experts, dispose: () => this.release() };
  }

  /** Releases what was allocated, when nothing is on its way there. */
  async stop(): Promise<void> {
    await this.#uploader.settled().catch(() => undefined);
    this.release();
  }

  release(): void {
    for (const buffer of this.#owned.splice(0)) this.#gpu.buffers.release(buffer);
  }

  async #layer(layer: LayerSpec, kv: KvLayer, table: SlotTable | null, transit: Transit): Promise<LayerBuffers> {
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
    const experts = await this.#experts(index, table, transit);
    if (!ffn.shared) return { ...common, ffn: { kind: 'moe', router, ...experts } };
    const { gate, up, down, outputGate } = ffn.shared;
    const shared = {
      up: await this.#fused(`layer ${index} shared expert`, outputGate ? [gate, up, outputGate] : [gate, up]),
      down: await this.#matrix(down),
      width: ffn.moe.sharedWidth,
      hasOutputGate: outputGate !== undefined,
    };
    return { ...common, ffn: { kind: 'moe', router, ...experts, shared } };
  }

  /** All MoE layers of a model have the same number of experts; the row of a dense layer stays absent. */
  async #slotTable(): Promise<SlotTable | null> {
    const moe = this.#model.layers.find(({ ffn }) => ffn.kind === 'moe')?.ffn;
    if (moe?.kind !== 'moe') return null;
    const { nExperts } = moe.moe;
    const buffer = await this.#allocate('slot table', 4 * this.#model.nLayers * nExperts, 'experts');
    return new SlotTable(whole(buffer), this.#model.nLayers, nExperts);
  }

  async #transit(): Promise<Transit> {
    const passing = this.#footprint.layers.find(({ transit }) => transit);
    if (!passing?.transit) return null;
    const shards = await allocateShards('experts in transit', passing.transit, (label, sizeBytes) =>
      this.#allocate(label, sizeBytes, 'experts'),
    );
    const mostExperts = Math.max(...this.#footprint.layers.map(({ ffn }) => ffn.moe.nExperts));
    return { shards, table: whole(await this.#allocate('transit table', 4 * mostExperts, 'experts')) };
  }

  /** A layer's slabs, filled with as many experts as there are slots. */
  async #experts(index: number, table: SlotTable, transit: Transit): Promise<{ slab: ExpertSlab; transit?: ExpertSlab }> {
    const plan = this.#footprint.layers.find(({ layer }) => layer === index);
    invariant(plan, `layer ${index} is in the plan`);
    const passing = plan.transit && transit ? { transit: expertSlab(plan.transit, transit.shards, transit.table, 0) } : undefined;
    if (!plan.slab) {
      invariant(passing, 'a streamed layer has a transit slab');
      return { slab: { ...passing.transit, table: table.range, tableOffset: table.offset(index) }, ...passing };
    }
    const shards = await allocateShards(`layer ${index} experts`, plan.slab, (label, sizeBytes) =>
      this.#allocate(label, sizeBytes, 'experts'),
    );
    const slab = expertSlab(plan.slab, shards, table.range, table.offset(index));
    const experts = firstExperts(plan.ffn.moe.nExperts, plan.slab.nSlots, this.#options.warmCounts?.[this.#moeIndex(index)]);
    const slots = slotOrder(plan.slab.nSlots, index, this.#options.slotPermutationSeed);
    await fillSlots(this.#uploader, index, plan.ffn, slab, table, experts, slots);
    const occupants: number[] = [];
    experts.forEach((expert, i) => (occupants[slots[i]] = expert));
    this.#occupants.set(index, occupants);
    return { slab, ...passing };
  }

  #moeIndex(index: number): number {
    return this.#footprint.layers.findIndex(({ layer }) => layer === index);
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
      selectionBias: at('selectionBias'),
      sinks: at('sinks'),
      routerBias: at('routerBias'),
      gateBiases: at('gateBiases'),
      upBiases: at('upBiases'),
      downBiases: at('downBiases'),
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

type Transit = LoadedExperts['transit'];

/** Bytes of the file that are not brought to the device at load. */
function absentFileBytes({ ffn, slab }: MoeLayerPlan): number {
  const expertBytes = [ffn.gate[0], ffn.up[0], ffn.down[0]].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return (ffn.moe.nExperts - (slab?.nSlots ?? 0)) * expertBytes;
}

function whole(buffer: GPUBuffer): BufferRange {
  return { buffer, offsetBytes: 0, sizeBytes: buffer.size };
}
