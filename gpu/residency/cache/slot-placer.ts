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
import { planesSizeBytes, writeSomePlanes } from '../../quant/planes.ts';
import type { ComputeType } from '../../quant/types.ts';
import type { ExpertSlab } from '../../runtime/buffers.ts';
import { wholeBuffer } from '../../runtime/prefill-plan-steps.ts';
import { blocksOf, slotPlace } from '../slabs.ts';
import type { StagedPart } from './expert-store.ts';
import { PieceRing } from './piece-ring.ts';

export interface SlotPlacer {
  /** Where reads should go: into the staged bytes, if nothing needs to be moved then, or piece by piece through other memory. */
  target(staged: Uint8Array, parts: readonly StagedPart[], slab: ExpertSlab): Uint8Array | PieceRing;
  /** Bytes of part `i` (gate, up, down), from its byte `fromByte` on, have come: in the target, or elsewhere. They are whole blocks. */
  stage(staged: Uint8Array, bytes: Uint8Array, part: StagedPart, i: number, fromByte: number, slab: ExpertSlab): void;
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

/** Reads under way for the host: as many as thread pools serve, and all of them within a processor's caches. */
const PIECES = 4;
const PIECE_BYTES = 2 ** 20;

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

  target(staged: Uint8Array): Uint8Array {
    return staged.subarray(REPACK_HEADER_BYTES);
  }

  stage(staged: Uint8Array, bytes: Uint8Array, { atBytes }: StagedPart, _i: number, fromByte: number): void {
    if (bytes.buffer !== staged.buffer) staged.set(bytes, REPACK_HEADER_BYTES + atBytes + fromByte);
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
  readonly #copier: BlockCopier | null;
  /** In the copier's memory where there is one. */
  readonly #pieces: PieceRing;

  constructor(gpu: GpuDevice, expertBytes: number) {
    this.#gpu = gpu;
    const pieceBytes = Math.min(PIECE_BYTES, expertBytes);
    this.#copier = openBlockCopier(PIECES * pieceBytes);
    const memory = this.#copier?.own ?? new Uint8Array(PIECES * pieceBytes);
    const pieces = Array.from({ length: PIECES }, (_, i) => memory.subarray(i * pieceBytes, (i + 1) * pieceBytes));
    this.#pieces = new PieceRing(pieces);
  }

  target(staged: Uint8Array, parts: readonly StagedPart[], slab: ExpertSlab): Uint8Array | PieceRing {
    return areInPlace(parts, slab) ? staged : this.#pieces;
  }

  stage(staged: Uint8Array, bytes: Uint8Array, _part: StagedPart, i: number, fromByte: number, slab: ExpertSlab): void {
    if (bytes.buffer === staged.buffer) return;
    const part = partsOf(slab)[i];
    const format = quantFormat(part.type);
    const some = { first: fromByte / format.blockBytes, count: bytes.length / format.blockBytes, nBlocks: blocksOf(part) };
    writeSomePlanes(format, bytes, some, staged.subarray(part.offsetVec4 * 16), this.#copier);
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
    // memory only
  }
}
