/**
 * GGUF blocks ↔ the plane layout of GPU buffers (types.ts says what it is). The GPU's repack kernel does the same;
 * this is its reference, and the way in for tests and for hosts that repack on the CPU.
 */
import { invariant } from '../invariant.ts';
import { blockCopier, COPIER_INPUT_BYTES, type BlockCopier } from './block-copier.ts';
import type { PlaneRun, QuantFormat } from './types.ts';

export const PLANE_ALIGNMENT_BYTES = 16;

const aligned = (bytes: number) => Math.ceil(bytes / PLANE_ALIGNMENT_BYTES) * PLANE_ALIGNMENT_BYTES;
const runBytes = (plane: readonly PlaneRun[]) => plane.reduce((sum, run) => sum + run.lengthBytes, 0);

export interface PlanePlace {
  readonly offsetBytes: number;
  readonly bytesPerBlock: number;
}

/** Where each plane of a tensor of `nBlocks` blocks starts; block b of plane p is at offsetBytes + b · bytesPerBlock. */
export function planePlaces(format: QuantFormat, nBlocks: number): readonly PlanePlace[] {
  let offsetBytes = 0;
  return format.planes.map((plane) => {
    const place = { offsetBytes, bytesPerBlock: runBytes(plane) };
    offsetBytes += aligned(place.bytesPerBlock * nBlocks);
    return place;
  });
}

/** Bytes of all planes, a multiple of 16: the last plane is padded too, so that it can be read as vec4<u32>. */
export function planesSizeBytes(format: QuantFormat, nWeights: number): number {
  invariant(nWeights % format.blockWeights === 0, `${nWeights} weights are not whole ${format.type} blocks`);
  const nBlocks = nWeights / format.blockWeights;
  return format.planes.reduce((sum, plane) => sum + aligned(runBytes(plane) * nBlocks), 0);
}

/** Planes of `nBlocks` GGUF blocks; padding is zero. */
export function toPlanes(format: QuantFormat, blocks: Uint8Array, nBlocks: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(planesSizeBytes(format, nBlocks * format.blockWeights));
  writePlanes(format, blocks, nBlocks, out);
  return out;
}

/** The same into the first bytes of `out`, which may have held anything. */
export function writePlanes(
  format: QuantFormat,
  blocks: Uint8Array,
  nBlocks: number,
  out: Uint8Array,
  copier: BlockCopier | null = blockCopier(),
): void {
  writeSomePlanes(format, blocks, { first: 0, count: nBlocks, nBlocks }, out, copier);
}

/** `count` blocks of a tensor's `nBlocks`, the first of them block `first`. */
export interface SomeBlocks {
  readonly first: number;
  readonly count: number;
  readonly nBlocks: number;
}

/** Puts `blocks`, some of a tensor's, at their places in `out`, which begins with the tensor's planes. */
export function writeSomePlanes(
  format: QuantFormat,
  blocks: Uint8Array,
  some: SomeBlocks,
  out: Uint8Array,
  copier: BlockCopier | null,
): void {
  const { first, count, nBlocks } = some;
  invariant(first + count <= nBlocks, `${format.type}: blocks ${first} to ${first + count} of ${nBlocks}`);
  invariant(blocks.length >= count * format.blockBytes, `${format.type}: ${blocks.length} bytes for ${count} blocks`);
  const sizeBytes = planesSizeBytes(format, nBlocks * format.blockWeights);
  invariant(out.length >= sizeBytes, `${format.type}: ${out.length} bytes for planes of ${sizeBytes}`);
  for (const { offsetBytes, bytesPerBlock } of planePlaces(format, nBlocks)) {
    const end = offsetBytes + bytesPerBlock * nBlocks;
    out.fill(0, end, aligned(end));
  }
  if (format.planes.length === 1) out.set(blocks.subarray(0, count * format.blockBytes), first * format.blockBytes);
  else if (copier) splitByCopier(format, blocks, some, out, copier);
  else splitHere(format, blocks, some, out);
}

function splitByCopier(format: QuantFormat, blocks: Uint8Array, some: SomeBlocks, out: Uint8Array, copier: BlockCopier): void {
  const { type, blockBytes } = format;
  const places = planePlaces(format, some.nBlocks);
  const address = copier.addressOf(blocks);
  const most = Math.floor(COPIER_INPUT_BYTES / blockBytes);
  for (let done = 0; done < some.count; done += most) {
    const count = Math.min(most, some.count - done);
    const from = address === null ? 0 : address + done * blockBytes;
    if (address === null) copier.input.set(blocks.subarray(done * blockBytes, (done + count) * blockBytes));
    const made = planePlaces(format, count);
    const planesAt = made.map(({ offsetBytes }) => offsetBytes);
    copier.split(type, from, count, planesAt);
    made.forEach(({ offsetBytes, bytesPerBlock }, p) => {
      const plane = copier.output.subarray(offsetBytes, offsetBytes + count * bytesPerBlock);
      out.set(plane, places[p].offsetBytes + (some.first + done) * bytesPerBlock);
    });
  }
}

/** Without help: two bytes at a time where both begin at even addresses. */
function splitHere(format: QuantFormat, blocks: Uint8Array, { first, count, nBlocks }: SomeBlocks, out: Uint8Array): void {
  const areEven = blocks.byteOffset % 2 === 0 && out.byteOffset % 2 === 0 && format.blockBytes % 2 === 0;
  const from = areEven ? new Uint16Array(blocks.buffer, blocks.byteOffset, blocks.length >> 1) : blocks;
  const to = areEven ? new Uint16Array(out.buffer, out.byteOffset, out.length >> 1) : out;
  const unit = areEven ? 2 : 1;
  forEachRun(format, nBlocks, (inBlock, stride, inPlanes, planeStride, length) => {
    invariant(length % unit === 0 && inBlock % unit === 0, `${format.type}: a run of whole units`);
    const toAt = (inPlanes + first * planeStride) / unit;
    copyRuns(from, inBlock / unit, stride / unit, to, toAt, planeStride / unit, length / unit, count);
  });
}

function copyRuns(
  from: Uint8Array | Uint16Array,
  fromAt: number,
  fromStride: number,
  to: Uint8Array | Uint16Array,
  toAt: number,
  toStride: number,
  length: number,
  nBlocks: number,
): void {
  for (let b = 0; b < nBlocks; b++, fromAt += fromStride, toAt += toStride) {
    for (let i = 0; i < length; i++) to[toAt + i] = from[fromAt + i];
  }
}

/** The GGUF blocks that `toPlanes` was given. */
export function fromPlanes(format: QuantFormat, planes: Uint8Array, nBlocks: number): Uint8Array<ArrayBuffer> {
  invariant(planes.length >= planesSizeBytes(format, nBlocks * format.blockWeights), `${format.type}: planes too short`);
  const out = new Uint8Array(nBlocks * format.blockBytes);
  forEachRun(format, nBlocks, (inBlock, stride, inPlanes, planeStride, length) => {
    for (let b = 0; b < nBlocks; b++) {
      for (let i = 0; i < length; i++) out[inBlock + b * stride + i] = planes[inPlanes + b * planeStride + i];
    }
  });
  return out;
}

type RunVisitor = (inBlock: number, blockStride: number, inPlanes: number, planeStride: number, lengthBytes: number) => void;

function forEachRun(format: QuantFormat, nBlocks: number, visit: RunVisitor): void {
  const places = planePlaces(format, nBlocks);
  format.planes.forEach((plane, p) => {
    let at = places[p].offsetBytes;
    for (const run of plane) {
      visit(run.offsetBytes, format.blockBytes, at, places[p].bytesPerBlock, run.lengthBytes);
      at += run.lengthBytes;
    }
  });
}
