/**
 * How a layer's experts are cut into slots and shards: pure arithmetic. One expert (gate, up, down) is one slot; a slab is equal shards
 * below the binding limit; a slot never crosses a shard.
 */
import type { MoeFfnTensors } from '../architectures/types.ts';
import { alignUp } from '../device/usage.ts';
import { engineError } from '../errors.ts';
import { quantFormat } from '../quant/formats.ts';
import { planesSizeBytes } from '../quant/planes.ts';
import type { ComputeType } from '../quant/types.ts';
import type { SlotPart } from '../runtime/buffers.ts';

export const SLOT_ALIGNMENT_BYTES = 256;
export const ABSENT_SLOT = 0xffffffff;
/** `slot_table` entries hold the shard in 8 bits and the index in 24. */
const MAX_SHARDS = 255;

export interface SlabGeometry {
  readonly gate: SlotPart;
  readonly up: SlotPart;
  readonly down: SlotPart;
  readonly slotStrideBytes: number;
  readonly nSlots: number;
  readonly slotsPerShard: number;
  readonly nShards: number;
}

/** Throws `gpu.limits` where one expert alone is above `maxBindingBytes`. A slab that layers share has the stride of the largest. */
export function slabGeometry(
  layer: number,
  ffn: MoeFfnTensors,
  nSlots: number,
  maxBindingBytes: number,
  leastStrideBytes = 0,
): SlabGeometry {
  let offsetBytes = 0;
  const part = (slices: MoeFfnTensors['gate']): SlotPart => {
    const { type, shape } = slices[0].tensor;
    const [rows, cols] = shape.slice(-2);
    const place = { type: type as ComputeType, rows, cols, offsetVec4: offsetBytes / 16 };
    offsetBytes += planesSizeBytes(quantFormat(place.type), rows * cols);
    return place;
  };
  const parts = { gate: part(ffn.gate), up: part(ffn.up), down: part(ffn.down) };
  const slotStrideBytes = Math.max(leastStrideBytes, alignUp(offsetBytes, SLOT_ALIGNMENT_BYTES));
  const mostPerShard = Math.floor(maxBindingBytes / slotStrideBytes);
  if (mostPerShard < 1 || Math.ceil(nSlots / mostPerShard) > MAX_SHARDS) {
    throw engineError(
      'gpu.limits',
      `Layer ${layer}: ${nSlots} experts of ${slotStrideBytes} bytes each do not fit this GPU's limit of ${maxBindingBytes} bytes per binding ` +
        `in ${MAX_SHARDS} shards. Choose a model with smaller experts or a more strongly quantised file.`,
      { layer, expertBytes: slotStrideBytes, allowedBytes: maxBindingBytes },
    );
  }
  const nShards = Math.ceil(nSlots / mostPerShard);
  return { ...parts, slotStrideBytes, nSlots, slotsPerShard: Math.ceil(nSlots / nShards), nShards };
}

/** An entry of the slot table. */
export function slotEntry(geometry: Pick<SlabGeometry, 'slotsPerShard'>, slot: number): number {
  const shard = Math.floor(slot / geometry.slotsPerShard);
  return ((shard << 24) | (slot % geometry.slotsPerShard)) >>> 0;
}

/** Slot of each expert: the identity, or (tests) a seeded permutation. */
export function slotOrder(nExperts: number, layer: number, seed: number | undefined): number[] {
  const order = Array.from({ length: nExperts }, (_, expert) => expert);
  if (seed === undefined) return order;
  let state = (seed ^ Math.imul(layer + 1, 0x9e3779b9)) >>> 0;
  for (let i = nExperts - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 2 ** 32) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
