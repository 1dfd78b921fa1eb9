/** What `experts-matmul-up` and `-down` share: how a workgroup finds its expert's weights in the slab. */
import type { BindingKind } from '../../device/types.ts';
import slotWgsl from './expert-slot.wgsl';
import { uniformWriter } from '../uniforms.ts';

export const EXPERT_SLOT_SNIPPET = slotWgsl;

/** Shards that one dispatch binds; a slab of more takes a dispatch per pair. */
export const SHARDS_PER_DISPATCH = 2;

/** Bindings: params, shard a, shard b (or a again), slot table, tiles, pairs, input, output. */
export const EXPERT_MATMUL_BINDINGS: readonly BindingKind[] = [
  'uniform',
  'read',
  'read',
  'read',
  'read',
  'read',
  'read',
  'read-write',
];

/** `table_offset`: element of the layer's first entry in the slot table. */
export const expertSlotParams = uniformWriter<{ table_offset: number; first_shard: number }>(slotWgsl, 'Params');
