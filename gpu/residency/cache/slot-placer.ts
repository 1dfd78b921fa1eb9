/**
 * From an expert's bytes, as in the file, to the planes of its slot, through a mapped staging buffer. On a GPU a dispatch puts them into planes, from
 * a scratch buffer, because staging cannot be bound as storage; where the "GPU" is the processor itself, the host does it in a fraction of the time.
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
import { openBlockCopier, type BlockCopier } from '../../quant/block-copier.ts';
import { quantFormat } from '../../quant/formats.ts';
import { planesSizeBytes, writePlanes } from '../../quant/planes.ts';
import type { ComputeType } from '../../quant/types.ts';
import type { ExpertSlab } from '../../runtime/buffers.ts';
import { wholeBuffer } from '../../runtime/prefill-plan-steps.ts';
import { blocksOf, slotPlace } from '../slabs.ts';
import type { StagedPart } from './expert-store.ts';

export interface SlotPlacer {
  /** Where a read should go, so that nothing needs to be moved: in the staged bytes where that serves. */
  target(staging: GPUBuffer, staged: Uint8Array, parts: readonly StagedPart[], slab: ExpertSlab): Uint8Array;
  /** Part `i` (gate, up, down) has come in `bytes`: the target, or others. */
  stagePart(staged: Uint8Array, bytes: Uint8Array, part: StagedPart, i: number, slab: ExpertSlab): void;
  /** All parts are staged. */
  finish(staged: Uint8Array, parts: readonly StagedPart[], slab: ExpertSlab, slot: number): void;
  /** Submits what puts the staged bytes, unmapped now, into the slot. */
  submit(staging: GPUBuffer, expertBytes: number, slab: ExpertSlab, slot: number): void;
  dispose(): void;
}

/** Enough for the file's bytes with a header, and for a slot. */
export function stagingBufferBytes(slabs: readonly ExpertSlab[], expertBytes: number): number {
  return Math.max(REPACK_HEADER_BYTES + expertBytes, ...slabs.map(({ slotStrideBytes }) => slotStrideBytes));
}

const partsOf = (slab: ExpertSlab) => [slab.gate, slab.up, slab.down];

export class GpuPlacer implements SlotPlacer {
  readonly #gpu: GpuDevice;
  readonly #scratch: GPUBuffer;
  /** Made once per shard and type. */
  readonly #bound = new Map<GPUBuffer, Map<ComputeType, BoundDispatch>>();

  static async create(gpu: GpuDevice, slabs: readonly ExpertSlab[], stagingBytes: number): Promise<GpuPlacer> {
    const types = new Set(slabs.flatMap(partsOf).map(({ type }) => type));
    await gpu.createPipelines([...types].map(expertRepackProgram));
    const usage = BufferUsage.STORAGE | BufferUsage.COPY_DST;
    const scratch = await gpu.buffers.allocate({ label: 'expert scratch', sizeBytes: stagingBytes, usage, account: 'staging' });
    return new GpuPlacer(gpu, scratch);
  }

  private constructor(gpu: GpuDevice, scratch: GPUBuffer) {
    this.#gpu = gpu;
    this.#scratch = scratch;
  }

  target(_staging: GPUBuffer, staged: Uint8Array): Uint8Array {
    return staged.subarray(REPACK_HEADER_BYTES);
  }

  stagePart(staged: Uint8Array, bytes: Uint8Array, { slice, atBytes }: StagedPart): void {
    if (bytes.buffer === staged.buffer) return;
    staged.set(bytes.subarray(atBytes, atBytes + slice.sizeBytes), REPACK_HEADER_BYTES + atBytes);
  }

  finish(staged: Uint8Array, parts: readonly StagedPart[], slab: ExpertSlab, slot: number): void {
    const { offsetBytes } = slotPlace(slab, slot);
    const jobs = partsOf(slab).map((part, i): RepackJob => ({
      type: part.type,
      blocksAtBytes: REPACK_HEADER_BYTES + parts[i].atBytes,
      planesAtBytes: offsetBytes + part.offsetVec4 * 16,
      nBlocks: blocksOf(part),
    }));
    writeRepackHeader(staged, jobs);
  }

  submit(staging: GPUBuffer, expertBytes: number, slab: ExpertSlab, slot: number): void {
    const { buffer } = slotPlace(slab, slot);
    const stagedBytes = REPACK_HEADER_BYTES + expertBytes;
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'expert' });
    encoder.copyBufferToBuffer(staging, 0, this.#scratch, 0, stagedBytes);
    const pass = encoder.beginComputePass({ label: 'expert' });
    const grid = expertRepackGrid(stagedBytes);
    for (const type of new Set(partsOf(slab).map((part) => part.type))) {
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

/** Whether an expert lies in a slot as it does in the file: all its types have one plane. */
function areInPlace(parts: readonly StagedPart[], slab: ExpertSlab): boolean {
  return partsOf(slab).every(
    ({ type, offsetVec4 }, i) => quantFormat(type).planes.length === 1 && offsetVec4 * 16 === parts[i].atBytes,
  );
}

export class HostPlacer implements SlotPlacer {
  readonly #gpu: GpuDevice;
  readonly #stagingBytes: number;
  readonly #copier: BlockCopier | null;
  /** File bytes of what goes through each staging buffer, in the copier's memory where there is one. */
  readonly #raw = new Map<GPUBuffer, Uint8Array>();

  /** For so many staging buffers. */
  constructor(gpu: GpuDevice, stagingBytes: number, count: number) {
    this.#gpu = gpu;
    this.#stagingBytes = stagingBytes;
    this.#copier = openBlockCopier(count * stagingBytes);
  }

  target(staging: GPUBuffer, staged: Uint8Array, parts: readonly StagedPart[], slab: ExpertSlab): Uint8Array {
    if (areInPlace(parts, slab)) return staged;
    const at = this.#raw.size * this.#stagingBytes;
    const raw =
      this.#raw.get(staging) ?? this.#copier?.own.subarray(at, at + this.#stagingBytes) ?? new Uint8Array(this.#stagingBytes);
    this.#raw.set(staging, raw);
    return raw;
  }

  stagePart(staged: Uint8Array, bytes: Uint8Array, { slice, atBytes }: StagedPart, i: number, slab: ExpertSlab): void {
    if (bytes.buffer === staged.buffer) return;
    const part = partsOf(slab)[i];
    const blocks = bytes.subarray(atBytes, atBytes + slice.sizeBytes);
    writePlanes(quantFormat(part.type), blocks, blocksOf(part), staged.subarray(part.offsetVec4 * 16), this.#copier);
  }

  finish(): void {
    // nothing beside the planes
  }

  submit(staging: GPUBuffer, _expertBytes: number, slab: ExpertSlab, slot: number): void {
    const { buffer, offsetBytes } = slotPlace(slab, slot);
    const { type, rows, cols, offsetVec4 } = slab.down;
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'expert' });
    const planesBytes = offsetVec4 * 16 + planesSizeBytes(quantFormat(type), rows * cols);
    encoder.copyBufferToBuffer(staging, 0, buffer, offsetBytes, planesBytes);
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  dispose(): void {
    this.#raw.clear();
  }
}
