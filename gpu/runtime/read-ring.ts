/** MAP_READ buffers of one size in turn: a submission's results are copied into one, and one mapAsync brings them to the host. */
import type { GpuDevice } from '../device/open-device.ts';
import { BufferUsage, MapMode } from '../device/usage.ts';
import { invariant } from '../invariant.ts';

export class ReadRing {
  readonly #gpu: GpuDevice;
  readonly #buffers: readonly GPUBuffer[];
  readonly #free: GPUBuffer[];

  static async create(gpu: GpuDevice, label: string, count: number, sizeBytes: number): Promise<ReadRing> {
    const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
    const requests = Array.from({ length: count }, () => ({ label, sizeBytes, usage, account: 'staging' as const }));
    return new ReadRing(gpu, await gpu.buffers.allocateAll(requests));
  }

  private constructor(gpu: GpuDevice, buffers: readonly GPUBuffer[]) {
    this.#gpu = gpu;
    this.#buffers = buffers;
    this.#free = [...buffers];
  }

  /** A buffer to copy into; it must go through `read`. */
  take(): GPUBuffer {
    const buffer = this.#free.pop();
    invariant(buffer, 'more submissions in flight than read-back buffers');
    return buffer;
  }

  /** A copy of the first `sizeBytes` once the submitted work is done; the buffer is free again. Rejects with `gpu.device-lost`. */
  async read(buffer: GPUBuffer, sizeBytes: number): Promise<ArrayBuffer> {
    await this.#gpu.orLost(buffer.mapAsync(MapMode.READ, 0, sizeBytes));
    const copy = buffer.getMappedRange(0, sizeBytes).slice(0);
    buffer.unmap();
    this.#free.push(buffer);
    return copy;
  }

  dispose(): void {
    for (const buffer of this.#buffers) this.#gpu.buffers.release(buffer);
  }
}
