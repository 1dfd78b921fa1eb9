/** `experts-down`: down rows of the chosen experts, weights in rank order, the shared expert last, then the residual. */
import { kindsOf } from '../../device/compose.ts';
import { invariant } from '../../invariant.ts';
import type { ComputeType } from '../../quant/types.ts';
import expertSlots from '../../wgsl/expert-slots.wgsl';
import inputPlain from '../../wgsl/input-plain.wgsl';
import silu from '../../wgsl/silu.wgsl';
import type { ExpertPart, ExpertRowsLayout } from '../experts-up/experts-up.ts';
import { composeLanes, laneGrid, rowUnits, type KernelInstance, type LaneVariant } from '../lanes.ts';
import { routedLayout } from '../router-matvec/router-matvec.ts';
import { uniformWriter } from '../uniforms.ts';
import body from './experts-down.wgsl';

export interface ExpertsDownShape {
  readonly modelWidth: number; // D
  readonly nExperts: number; // E
  readonly nExpertsUsed: number; // K
  readonly width: number; // F
  readonly down: ExpertPart;
  readonly slotStrideBytes: number;
  readonly nShards: number; // 1 or 2
  readonly rows: ExpertRowsLayout;
  readonly shared?: { readonly width: number; readonly type: ComputeType; readonly hasOutputGate: boolean };
  /** Element of `vectors` where the experts' biases [E, D] start; absent: none. Not beside a shared expert. */
  readonly biases?: number;
}

/**
 * Bindings: params, shard a, shard b (a again when there is one), slot table, expert rows, routed, shared down weights (vectors where
 * experts have biases, shard a again without either), h_mid [D], h_out [D].
 */
export function expertsDownKernel(shape: ExpertsDownShape, variant: LaneVariant): KernelInstance {
  const { shared, biases } = shape;
  invariant(!shared || biases === undefined, 'a shared expert and biases of experts take the same binding');
  const { types, kinds } = kindsOf([shape.down.type, shared?.type ?? shape.down.type]);
  const routed = routedLayout(shape.nExperts, 0);
  const program = composeLanes(variant, {
    name: 'experts-down',
    body,
    bindings: ['uniform', 'read', 'read', 'read', 'read', 'read', 'read', 'read', 'read-write'],
    consts: {
      ROWS: shape.modelWidth,
      UNITS: rowUnits(shape.width),
      N_USED: shape.nExpertsUsed,
      DOWN_KIND: kinds[0],
      DOWN_OFFSET: shape.down.offsetVec4,
      SLOT_VEC4: shape.slotStrideBytes / 16,
      TWO_SHARDS: shape.nShards > 1,
      IDS_AT: shape.rows.ids,
      WEIGHTS_AT: shape.rows.weights,
      HAS_BIASES: biases !== undefined,
      BIAS_AT: biases ?? 0,
      SHARED_UNITS: shared ? rowUnits(shared.width) : 0,
      SHARED_KIND: kinds[1],
      SHARED_AT: routed.sharedHidden,
      HAS_OUTPUT_GATE: shared?.hasOutputGate ?? false,
      GATE_AT: routed.gateLogit,
    },
    types,
    snippets: [expertSlots, inputPlain, silu],
  });
  return { program, grid: [laneGrid(variant, Math.ceil(shape.modelWidth / 4)), 1, 1] };
}

/** `table_offset` element of the layer's row in the slot table. */
export const expertsDownParams = uniformWriter<{ table_offset: number }>(body, 'Params');
