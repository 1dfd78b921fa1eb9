/** What `experts-matmul-up` and `-down` share: how a workgroup finds its expert's weights in the slab. */
import type { BindingKind } from '../../device/types.ts';
import expertBiases from './expert-biases.wgsl';
import slotWgsl from './expert-slot.wgsl';
import noExpertBiases from './no-expert-biases.wgsl';
import { uniformWriter } from '../uniforms.ts';

export const EXPERT_SLOT_SNIPPET = slotWgsl;

/** Shards that one dispatch binds; a slab of more takes a dispatch per pair. */
export const SHARDS_PER_DISPATCH = 2;

/** How a program adds biases of experts: `biased(sum, start, expert, row)`. */
export const biasesSnippet = (hasBiases: boolean): string => (hasBiases ? expertBiases : noExpertBiases);

const BINDINGS: readonly BindingKind[] = ['uniform', 'read', 'read', 'read', 'read', 'read', 'read', 'read-write'];

/** Bindings: params, shard a, shard b (or a again), slot table, tiles, pairs, input, output; with biases also vectors. */
export const expertMatmulBindings = (hasBiases: boolean): readonly BindingKind[] =>
  hasBiases ? [...BINDINGS, 'read'] : BINDINGS;

export interface ExpertMatmulShape {
  /** Element of the layer's first entry in the slot table. */
  readonly tableOffset: number;
  /** Of the two shards that are bound. */
  readonly firstShard: number;
  readonly slotStrideBytes: number;
  /** Places in a slot: gate and up, or down alone. */
  readonly offsetsVec4: readonly [gateOrDown: number, up?: number];
  /** Of the projection, [rows, cols]. */
  readonly rows: number;
  readonly cols: number;
  readonly nExpertsUsed: number; // K
}

const write = uniformWriter(slotWgsl, 'Params');

export function expertMatmulParams(shape: ExpertMatmulShape): Uint8Array<ArrayBuffer> {
  return write({
    table_offset: shape.tableOffset,
    first_shard: shape.firstShard,
    slot_vec4: shape.slotStrideBytes / 16,
    part_a: shape.offsetsVec4[0],
    part_b: shape.offsetsVec4[1] ?? 0,
    rows: shape.rows,
    units: shape.cols / 32,
    n_used: shape.nExpertsUsed,
  });
}
