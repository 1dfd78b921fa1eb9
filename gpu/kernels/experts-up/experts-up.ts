/** `experts-up`: top K of the router logits, gate and up rows of the chosen experts, activation; writes the routing record. */
import type { ExpertGroups, MoeSpec } from '../../architectures/types.ts';
import { f32, kindsOf } from '../../device/compose.ts';
import type { ComputeType } from '../../quant/types.ts';
import { ACTIVATION_SNIPPETS } from '../../wgsl/activations.ts';
import expertSlots from '../../wgsl/expert-slots.wgsl';
import inputNormed from '../../wgsl/input-normed.wgsl';
import stateWgsl from '../../wgsl/state.wgsl';
import { composeLanes, laneGrid, MAX_WORKGROUPS, rowUnits, type KernelInstance, type LaneVariant } from '../lanes.ts';
import { uniformWriter } from '../uniforms.ts';
import body from './experts-up.wgsl';

export interface ExpertPart {
  readonly type: ComputeType;
  /** Start inside the slot, in units of 16 bytes. */
  readonly offsetVec4: number;
}

/** Words of the buffer that `experts-up` leaves for `experts-down` and `sample`. */
export interface ExpertRowsLayout {
  readonly ids: number;
  readonly weights: number;
  /** Records u32 [MoE layers, K] follow one another from here. */
  readonly records: number;
  readonly length: number;
}

/** For the largest K · F of all MoE layers and `recordWords` = Σ K over them. */
export function expertRowsLayout(hiddenWords: number, nUsed: number, recordWords: number): ExpertRowsLayout {
  const [ids, weights, records] = [hiddenWords, hiddenWords + nUsed, hiddenWords + 2 * nUsed];
  return { ids, weights, records, length: records + recordWords };
}

export interface ExpertsUpShape {
  readonly modelWidth: number; // D
  readonly nExperts: number; // E
  readonly nExpertsUsed: number; // K
  readonly width: number; // F
  readonly gate: ExpertPart;
  readonly up: ExpertPart;
  readonly slotStrideBytes: number;
  readonly nShards: number; // 1 or 2
  readonly rows: ExpertRowsLayout;
  readonly normalise: boolean;
  readonly weightScale: number;
  /** A sigmoid router: element of `routed` where the scores [E] start, and the groups of experts. Absent: softmax. */
  readonly sigmoid?: { readonly scores: number; readonly groups?: ExpertGroups };
  /** Element of `vectors` where the norm starts, a multiple of 4. */
  readonly norm: number;
  readonly epsilon: number;
  /** By how much the logit of an absent expert may be above that of one with a slot which takes its place; 0 or absent: exact. */
  readonly margin?: number;
  /** Default `silu`. */
  readonly activation?: MoeSpec['activation'];
  /** Elements of `vectors` where the experts' biases [E, F] start; absent: none. */
  readonly biases?: { readonly gate: number; readonly up: number };
}

/** A routing record's word: the id, and whether exact routing would have chosen another. */
export const RECORD_ID_MASK = 0xffff;
export const RECORD_SUBSTITUTE = 0x10000;

/** Bindings: params, shard a, shard b (a again when there is one), slot table, vectors, h_mid [D], routed, state, expert rows. */
export function expertsUpKernel(shape: ExpertsUpShape, variant: LaneVariant): KernelInstance {
  const { types, kinds } = kindsOf([shape.gate.type, shape.up.type]);
  const program = composeLanes(variant, {
    name: 'experts-up',
    body,
    bindings: ['uniform', 'read', 'read', 'read', 'read', 'read', 'read', 'read-write', 'read-write'],
    consts: {
      UNITS: rowUnits(shape.modelWidth),
      N_EXPERTS: shape.nExperts,
      N_USED: shape.nExpertsUsed,
      WIDTH: shape.width,
      GATE_KIND: kinds[0],
      UP_KIND: kinds[1],
      GATE_OFFSET: shape.gate.offsetVec4,
      UP_OFFSET: shape.up.offsetVec4,
      SLOT_VEC4: shape.slotStrideBytes / 16,
      TWO_SHARDS: shape.nShards > 1,
      IDS_AT: shape.rows.ids,
      WEIGHTS_AT: shape.rows.weights,
      NORMALISE: shape.normalise,
      WEIGHT_SCALE: f32(shape.weightScale),
      NORM: shape.norm,
      EPSILON: f32(shape.epsilon),
      MARGIN: f32(shape.margin ?? 0),
      HAS_BIASES: shape.biases !== undefined,
      GATE_BIAS: shape.biases?.gate ?? 0,
      UP_BIAS: shape.biases?.up ?? 0,
      SIGMOID: shape.sigmoid !== undefined,
      SCORES_AT: shape.sigmoid?.scores ?? 0,
      N_GROUPS: shape.sigmoid?.groups?.count ?? 1,
      GROUPS_USED: shape.sigmoid?.groups?.used ?? 1,
    },
    types,
    snippets: [stateWgsl, expertSlots, inputNormed, ACTIVATION_SNIPPETS[shape.activation ?? 'silu']],
  });
  const perRank = Math.max(1, Math.floor(MAX_WORKGROUPS / shape.nExpertsUsed));
  return { program, grid: [laneGrid(variant, Math.ceil(shape.width / 2), perRank), shape.nExpertsUsed, 1] };
}

/** `table_offset` element of the layer's row in the slot table, `layer` index, `record_at` word of expert rows. */
export const expertsUpParams = uniformWriter<{ table_offset: number; layer: number; record_at: number }>(body, 'Params');
