/**
 * Slabs with all experts resident: as many slots as experts and a table that says which is where. No kernel addresses an expert without the
 * table, so a smaller slab is the same code with fewer slots.
 */
import type { MoeFfnTensors } from '../architectures/types.ts';
import type { GpuDevice } from '../device/open-device.ts';
import type { BufferRange } from '../device/types.ts';
import { quantFormat } from '../quant/formats.ts';
import type { ExpertSlab, SlotPart } from '../runtime/buffers.ts';
import type { Uploader } from '../runtime/upload.ts';
import { slabGeometry, slotEntry, slotOrder } from './slab-geometry.ts';

/** The slot table of the whole model, u32 [layers · E], on the CPU and on the GPU. */
export interface SlotTable {
  readonly entries: Uint32Array<ArrayBuffer>;
  readonly range: BufferRange;
}

/**
 * Fills a layer's slab and its row of `table.entries`; the caller owns the shards that `allocate` makes
 * and uploads the table when all layers are in.
 */
export async function loadSlab(
  gpu: GpuDevice,
  uploader: Uploader,
  layer: number,
  ffn: MoeFfnTensors,
  table: SlotTable,
  slotSeed: number | undefined,
  allocate: (label: string, sizeBytes: number) => Promise<GPUBuffer>,
): Promise<ExpertSlab> {
  const { nExperts } = ffn.moe;
  const limit = Math.min(gpu.capabilities.maxStorageBindingBytes, gpu.capabilities.maxBufferBytes);
  const geometry = slabGeometry(layer, ffn, nExperts, limit);
  const shardBytes = geometry.slotsPerShard * geometry.slotStrideBytes;
  const buffers: GPUBuffer[] = [];
  for (let shard = 1; shard <= geometry.nShards; shard++) {
    buffers.push(await allocate(`layer ${layer} experts ${shard}/${geometry.nShards}`, shardBytes));
  }
  const order = slotOrder(nExperts, layer, slotSeed);
  for (let expert = 0; expert < nExperts; expert++) {
    const slot = order[expert];
    const buffer = buffers[Math.floor(slot / geometry.slotsPerShard)];
    const slotBytes = (slot % geometry.slotsPerShard) * geometry.slotStrideBytes;
    for (const [slice, part] of [
      [ffn.gate[expert], geometry.gate],
      [ffn.up[expert], geometry.up],
      [ffn.down[expert], geometry.down],
    ] as const) {
      const run = { type: part.type, part: slice.tensor.part, offsetBytes: slice.offsetBytes, nBlocks: blocksOf(part) };
      await uploader.blocks(run, buffer, slotBytes + part.offsetVec4 * 16);
    }
    table.entries[layer * nExperts + expert] = slotEntry(geometry, slot);
  }
  return {
    shards: buffers.map((buffer) => ({ buffer, offsetBytes: 0, sizeBytes: buffer.size })),
    slotsPerShard: geometry.slotsPerShard,
    slotStrideBytes: geometry.slotStrideBytes,
    gate: geometry.gate,
    up: geometry.up,
    down: geometry.down,
    table: table.range,
    tableOffset: layer * nExperts,
  };
}

function blocksOf(part: SlotPart): number {
  return (part.rows * part.cols) / quantFormat(part.type).blockWeights;
}
