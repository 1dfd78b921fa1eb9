/** The routing of a chunk: each MoE layer's expert ids are copied aside before the next layer overwrites them, and read back once. */
import type { GpuDevice } from '../device/open-device.ts';
import { BufferUsage, MapMode } from '../device/usage.ts';

export class PrefillRoutingReader {
  readonly #gpu: GpuDevice;
  readonly #ids: GPUBuffer;
  readonly #read: GPUBuffer;
  readonly #nUsed: number;
  readonly #nLayers: number;

  private constructor(gpu: GpuDevice, ids: GPUBuffer, read: GPUBuffer, nLayers: number, nUsed: number) {
    this.#gpu = gpu;
    this.#ids = ids;
    this.#read = read;
    this.#nLayers = nLayers;
    this.#nUsed = nUsed;
  }

  /** `ids`: the activation u32 [T, K] that `router-topk` writes. `nLayers` counts MoE layers. */
  static async create(
    gpu: GpuDevice,
    ids: GPUBuffer,
    nLayers: number,
    chunkTokens: number,
    nUsed: number,
  ): Promise<PrefillRoutingReader> {
    const read = await gpu.buffers.allocate({
      label: 'prefill routing read',
      sizeBytes: 4 * nLayers * chunkTokens * nUsed,
      usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST,
      account: 'staging',
    });
    return new PrefillRoutingReader(gpu, ids, read, nLayers, nUsed);
  }

  /** Records the copy of MoE layer `index`, after its steps. */
  encodeCopy(encoder: GPUCommandEncoder, index: number, nTokens: number): void {
    const sizeBytes = 4 * nTokens * this.#nUsed;
    encoder.copyBufferToBuffer(this.#ids, 0, this.#read, index * sizeBytes, sizeBytes);
  }

  /** Expert ids `[MoE layers, nTokens, K]`, once all copies are done. */
  async take(nTokens: number): Promise<Uint16Array> {
    const sizeBytes = 4 * this.#nLayers * nTokens * this.#nUsed;
    await this.#gpu.idle();
    await this.#read.mapAsync(MapMode.READ, 0, sizeBytes);
    const ids = Uint16Array.from(new Uint32Array(this.#read.getMappedRange(0, sizeBytes)));
    this.#read.unmap();
    return ids;
  }

  dispose(): void {
    this.#gpu.buffers.release(this.#read);
  }
}
