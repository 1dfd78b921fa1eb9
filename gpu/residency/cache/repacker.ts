/**
 * From staged bytes of an expert to the planes of its slot, by the queue: a copy to a scratch buffer (staging cannot be bound as storage), then one
 * dispatch per tensor type. Bind groups are made once per shard and type.
 */
import type { GpuDevice } from '../../device/open-device.ts';
import type { BoundDispatch } from '../../device/pipelines.ts';
import { BufferUsage } from '../../device/usage.ts';
import {
  expertRepackGrid,
  expertRepackProgram,
  REPACK_HEADER_BYTES,
  writeRepackHeader,
  type RepackJob,
} from '../../kernels/expert-repack/expert-repack.ts';
import { wholeBuffer } from '../../runtime/prefill-plan-steps.ts';
import type { ExpertSlab } from '../../runtime/buffers.ts';
import type { ComputeType } from '../../quant/types.ts';
import { blocksOf, slotPlace } from '../slabs.ts';
import type { StagedPart } from './expert-store.ts';

export class Repacker {
  readonly #gpu: GpuDevice;
  readonly #scratch: GPUBuffer;
  readonly #bound = new Map<GPUBuffer, Map<ComputeType, BoundDispatch>>();

  /** For slots of `slabs`; `stagedBytes`: the largest expert with its header. */
  static async create(gpu: GpuDevice, slabs: readonly ExpertSlab[], stagedBytes: number): Promise<Repacker> {
    const types = new Set(slabs.flatMap(({ gate, up, down }) => [gate.type, up.type, down.type]));
    await gpu.createPipelines([...types].map(expertRepackProgram));
    const usage = BufferUsage.STORAGE | BufferUsage.COPY_DST;
    const scratch = await gpu.buffers.allocate({ label: 'expert scratch', sizeBytes: stagedBytes, usage, account: 'staging' });
    return new Repacker(gpu, scratch);
  }

  private constructor(gpu: GpuDevice, scratch: GPUBuffer) {
    this.#gpu = gpu;
    this.#scratch = scratch;
  }

  /** Writes into the staged bytes what the dispatches must know; the blocks of `parts` (gate, up, down) lie behind it. */
  writeHeader(staged: Uint8Array, slab: ExpertSlab, slot: number, parts: readonly StagedPart[]): void {
    const { offsetBytes } = slotPlace(slab, slot);
    const jobs = [slab.gate, slab.up, slab.down].map((part, i): RepackJob => ({
      type: part.type,
      blocksAtBytes: REPACK_HEADER_BYTES + parts[i].atBytes,
      planesAtBytes: offsetBytes + part.offsetVec4 * 16,
      nBlocks: blocksOf(part),
    }));
    writeRepackHeader(staged, jobs);
  }

  /** Submits what puts the staged bytes into the slot. */
  submit(staging: GPUBuffer, stagedBytes: number, slab: ExpertSlab, slot: number): void {
    const { buffer } = slotPlace(slab, slot);
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'expert' });
    encoder.copyBufferToBuffer(staging, 0, this.#scratch, 0, stagedBytes);
    const pass = encoder.beginComputePass({ label: 'expert' });
    const grid = expertRepackGrid(stagedBytes);
    for (const type of new Set([slab.gate.type, slab.up.type, slab.down.type])) {
      const { pipeline, bindGroup } = this.#bind(buffer, type);
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, bindGroup);
      pass.dispatchWorkgroups(...grid);
    }
    pass.end();
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  dispose(): void {
    this.#gpu.buffers.release(this.#scratch);
  }

  #bind(shard: GPUBuffer, type: ComputeType): BoundDispatch {
    const ofShard = this.#bound.get(shard) ?? new Map<ComputeType, BoundDispatch>();
    this.#bound.set(shard, ofShard);
    let bound = ofShard.get(type);
    if (!bound) {
      const ranges = [wholeBuffer(this.#scratch), wholeBuffer(shard)];
      bound = this.#gpu.bind({ program: expertRepackProgram(type), ranges, grid: [1, 1, 1] });
      ofShard.set(type, bound);
    }
    return bound;
  }
}
