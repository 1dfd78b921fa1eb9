/**
 * A layer's slab on the device and what fills it at load. No kernel addresses an expert without the slot table, so a slab with fewer slots
 * than experts is the same code as one with all.
 */
import type { ExpertSlice, MoeFfnTensors } from '../architectures/types.ts';
import type { BufferRange } from '../device/types.ts';
import { quantFormat } from '../quant/formats.ts';
import type { ExpertSlab, SlotPart } from '../runtime/buffers.ts';
import type { BlockRun, Uploader } from '../runtime/upload.ts';
import type { SlotTable } from './cache/slot-table.ts';
import { slotEntry, type SlabGeometry } from './slab-geometry.ts';

export async function allocateShards(
  label: string,
  geometry: SlabGeometry,
  allocate: (label: string, sizeBytes: number) => Promise<GPUBuffer>,
): Promise<BufferRange[]> {
  const sizeBytes = geometry.slotsPerShard * geometry.slotStrideBytes;
  const shards: BufferRange[] = [];
  for (let shard = 1; shard <= geometry.nShards; shard++) {
    const buffer = await allocate(`${label} ${shard}/${geometry.nShards}`, sizeBytes);
    shards.push({ buffer, offsetBytes: 0, sizeBytes: buffer.size });
  }
  return shards;
}

export function expertSlab(
  geometry: SlabGeometry,
  shards: readonly BufferRange[],
  table: BufferRange,
  tableOffset: number,
): ExpertSlab {
  const { gate, up, down, slotsPerShard, slotStrideBytes } = geometry;
  return { shards, slotsPerShard, slotStrideBytes, gate, up, down, table, tableOffset };
}

/** Where a slot begins. */
export function slotPlace(slab: ExpertSlab, slot: number): { buffer: GPUBuffer; offsetBytes: number } {
  const { buffer } = slab.shards[Math.floor(slot / slab.slotsPerShard)];
  return { buffer, offsetBytes: (slot % slab.slotsPerShard) * slab.slotStrideBytes };
}

/** An expert's three runs of blocks in the file and their places in a slot. */
export function expertParts(ffn: MoeFfnTensors, expert: number, slab: ExpertSlab): { slice: ExpertSlice; part: SlotPart }[] {
  return [
    { slice: ffn.gate[expert], part: slab.gate },
    { slice: ffn.up[expert], part: slab.up },
    { slice: ffn.down[expert], part: slab.down },
  ];
}

export function blocksOf(part: SlotPart): number {
  return (part.rows * part.cols) / quantFormat(part.type).blockWeights;
}

/** Puts `experts[i]` into slot `slots[i]` and enters them in `table`. */
export async function fillSlots(
  uploader: Uploader,
  layer: number,
  ffn: MoeFfnTensors,
  slab: ExpertSlab,
  table: SlotTable,
  experts: readonly number[],
  slots: readonly number[],
): Promise<void> {
  for (const [i, expert] of experts.entries()) {
    const { buffer, offsetBytes } = slotPlace(slab, slots[i]);
    for (const { slice, part } of expertParts(ffn, expert, slab)) {
      const run: BlockRun = {
        type: part.type,
        part: slice.tensor.part,
        offsetBytes: slice.offsetBytes,
        nBlocks: blocksOf(part),
      };
      await uploader.blocks(run, buffer, offsetBytes + part.offsetVec4 * 16);
    }
    table.set(layer, expert, slotEntry(slab, slots[i]));
  }
}
