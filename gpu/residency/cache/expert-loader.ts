/**
 * Brings experts into slots: bytes go from pool or file into mapped staging buffers, several at once, and from there by the queue into the slot.
 * A staging buffer is unmapped only after its read has ended, and `load` never settles while a read is in flight.
 */
import type { GpuDevice } from '../../device/open-device.ts';
import { BufferUsage, MapMode } from '../../device/usage.ts';
import { engineError } from '../../errors.ts';
import type { ExpertSlab } from '../../runtime/buffers.ts';
import { settle } from '../../settle.ts';
import { mostStagingBuffers } from '../staging.ts';
import type { ExpertTier } from '../types.ts';
import { stagedParts, type ExpertRead, type ExpertStore, type OnBytes } from './expert-store.ts';
import { GpuPlacer, HostPlacer, stagingBufferBytes, type SlotPlacer } from './slot-placer.ts';

export interface LoadJob extends ExpertRead {
  readonly slab: ExpertSlab;
  readonly slot: number;
}

/** Where an expert came from that was not in a slot. */
export type SlowTier = Exclude<ExpertTier, 'gpu'>;

export interface LoaderShape {
  readonly slabs: readonly ExpertSlab[];
  /** File bytes of the largest expert (stagedParts). */
  readonly expertBytes: number;
  /** For staging and scratch together; there is one of each at least. */
  readonly stagingBytes: number;
}

export class ExpertLoader {
  readonly #gpu: GpuDevice;
  readonly #store: ExpertStore;
  readonly #placer: SlotPlacer;
  readonly #staging: readonly Staging[];
  #running: Promise<unknown> = Promise.resolve();
  #isStopped = false;
  bytesUploaded = 0;

  static async create(gpu: GpuDevice, store: ExpertStore, shape: LoaderShape): Promise<ExpertLoader> {
    const sizeBytes = stagingBufferBytes(shape.slabs, shape.expertBytes);
    const { software } = gpu.capabilities;
    const count = Math.max(1, Math.min(mostStagingBuffers(software), Math.floor(shape.stagingBytes / sizeBytes) - 1));
    const placer = software ? new HostPlacer(gpu, shape.expertBytes) : await GpuPlacer.create(gpu, shape.slabs, sizeBytes);
    try {
      const usage = BufferUsage.MAP_WRITE | BufferUsage.COPY_SRC;
      const request = { label: 'expert staging', sizeBytes, usage, mappedAtCreation: true, account: 'staging' as const };
      const buffers = await gpu.buffers.allocateAll(Array.from({ length: count }, () => request));
      const staging = buffers.map((buffer) => new Staging(gpu, buffer));
      return new ExpertLoader(gpu, store, placer, staging);
    } catch (error) {
      placer.dispose();
      throw error;
    }
  }

  private constructor(gpu: GpuDevice, store: ExpertStore, placer: SlotPlacer, staging: readonly Staging[]) {
    this.#gpu = gpu;
    this.#store = store;
    this.#placer = placer;
    this.#staging = staging;
  }

  /**
   * Puts all of `jobs` into the queue, the first ones first; the tier that each came from. Rejects with what the source throws, `file.changed`
   * included; the slots of all jobs then hold anything.
   */
  load(jobs: readonly LoadJob[], signal?: AbortSignal): Promise<SlowTier[]> {
    const loading = this.#load(jobs, signal);
    // Nothing of what they resolve with: each turn would hold the results of all before it.
    this.#running = Promise.allSettled([this.#running, loading]).then(() => undefined);
    return loading;
  }

  /** From now on `load` rejects with `engine.cancelled`; resolves when no read is in flight. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  dispose(): void {
    for (const { buffer } of this.#staging) this.#gpu.buffers.release(buffer);
    this.#placer.dispose();
  }

  async #load(jobs: readonly LoadJob[], signal: AbortSignal | undefined): Promise<SlowTier[]> {
    const tiers: SlowTier[] = [];
    let next = 0;
    let hasFailed = false;
    const work = async (staging: Staging) => {
      while (next < jobs.length && !hasFailed) {
        const i = next++;
        try {
          tiers[i] = await this.#place(jobs[i], staging, signal);
        } catch (error) {
          hasFailed = true;
          throw error;
        }
      }
    };
    await settle(this.#staging.slice(0, jobs.length).map(work));
    if (tiers.includes('disk')) await this.#store.verify();
    return tiers;
  }

  async #place(job: LoadJob, staging: Staging, signal: AbortSignal | undefined): Promise<SlowTier> {
    const staged = await staging.mapped();
    signal?.throwIfAborted();
    if (this.#isStopped) throw engineError('engine.cancelled', 'The model is being unloaded.');
    const { parts, sizeBytes } = stagedParts(job);
    const target = this.#placer.target(staged, parts, job.slab);
    const stage: OnBytes = (bytes, i, fromByte) => this.#placer.stage(staged, bytes, parts[i], i, fromByte, job.slab);
    const read = this.#store.read(job, target, stage, signal);
    const tier = typeof read === 'string' ? read : await read; // what has come goes its way before others are read
    this.#placer.finish(staged, parts, job.slab, job.slot);
    staging.unmap();
    this.#placer.submit(staging.buffer, sizeBytes, job.slab, job.slot);
    staging.mapAgain();
    this.bytesUploaded += sizeBytes;
    return tier;
  }
}

/** A staging buffer: mapped until its bytes are handed to the queue, and again as soon as the queue has taken them. */
class Staging {
  readonly buffer: GPUBuffer;
  readonly #gpu: GpuDevice;
  #mapping: Promise<void> = Promise.resolve();
  /** Of a mapped buffer: a range may be asked for only once. */
  #bytes: Uint8Array | null = null;

  /** `buffer` is mapped. */
  constructor(gpu: GpuDevice, buffer: GPUBuffer) {
    this.#gpu = gpu;
    this.buffer = buffer;
  }

  /** Resolves when the queue has taken the last bytes. */
  async mapped(): Promise<Uint8Array> {
    await this.#mapping;
    return (this.#bytes ??= new Uint8Array(this.buffer.getMappedRange()));
  }

  unmap(): void {
    this.buffer.unmap();
    this.#bytes = null;
  }

  /** After the submission that reads it; by the next turn of loading it is there, without a wait. */
  mapAgain(): void {
    this.#mapping = this.#gpu.orLost(this.buffer.mapAsync(MapMode.WRITE));
    this.#mapping.catch(() => undefined); // released before it came, or the device is lost: whoever wants it is told
  }
}
