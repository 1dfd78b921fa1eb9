/** `router-matvec`: norm, router rows, the scores of a sigmoid router, and the shared expert's gate and up rows and output gate. */
import { f32, kindsOf } from '../../device/compose.ts';
import type { MoeSpec } from '../../architectures/types.ts';
import type { ComputeType } from '../../quant/types.ts';
import inputNormed from '../../wgsl/input-normed.wgsl';
import silu from '../../wgsl/silu.wgsl';
import { composeLanes, laneGrid, rowUnits, type KernelInstance, type LaneVariant } from '../lanes.ts';
import body from './router-matvec.wgsl';

export interface SharedExpertPart {
  readonly type: ComputeType;
  readonly baseVec4: number;
}

export interface RouterMatvecShape {
  readonly type: ComputeType;
  readonly nExperts: number; // E
  readonly modelWidth: number; // D
  /** Element of `vectors` where the norm starts, a multiple of 4. */
  readonly norm: number;
  readonly epsilon: number;
  /** A sigmoid router: also writes what each expert stands at in the choice. `bias`: element of `vectors` where its bias [E] starts, a multiple of 4; -1: none. */
  readonly scores?: { readonly bias: number };
  /** Element of `vectors` where the bias of the logits [E] starts, a multiple of 4; absent: none. */
  readonly bias?: number;
  readonly shared?: {
    readonly width: number; // Fs
    readonly gate: SharedExpertPart;
    readonly up: SharedExpertPart;
    readonly outputGate?: SharedExpertPart;
  };
}

/** Where things lie in a layer's `routed` row, in elements. */
export interface RoutedLayout {
  readonly gateLogit: number;
  /** A multiple of 4. */
  readonly sharedHidden: number;
  /** [E], of a sigmoid router only. */
  readonly scores: number;
  readonly length: number;
}

export function routedLayout(nExperts: number, sharedWidth: number, gating: MoeSpec['gating'] = 'softmax'): RoutedLayout {
  const sharedHidden = Math.ceil((nExperts + 1) / 4) * 4;
  const scores = sharedHidden + sharedWidth;
  return { gateLogit: nExperts, sharedHidden, scores, length: scores + (gating === 'sigmoid' ? nExperts : 0) };
}

/** Bindings: weights, shared weights (the router's again without a shared expert), vectors, h_mid [D], routed. */
export function routerMatvecKernel(shape: RouterMatvecShape, variant: LaneVariant): KernelInstance {
  const { shared, nExperts, scores } = shape;
  const layout = routedLayout(nExperts, shared?.width ?? 0);
  const parts = shared ? [shared.gate, shared.up, shared.outputGate ?? shared.gate] : [];
  const { types, kinds } = kindsOf([shape.type, ...parts.map((part) => part.type)]);
  const nBlocks = Math.ceil(nExperts / 4) + (shared ? Math.ceil(shared.width / 2) + (shared.outputGate ? 1 : 0) : 0);
  const program = composeLanes(variant, {
    name: 'router-matvec',
    body,
    bindings: ['read', 'read', 'read', 'read', 'read-write'],
    consts: {
      UNITS: rowUnits(shape.modelWidth),
      N_EXPERTS: nExperts,
      NORM: shape.norm,
      EPSILON: f32(shape.epsilon),
      ROUTER_KIND: 0,
      SHARED_ROWS: shared?.width ?? 0,
      SHARED_AT: layout.sharedHidden,
      HAS_LOGIT_BIAS: shape.bias !== undefined,
      LOGIT_BIAS: shape.bias ?? 0,
      HAS_SCORES: scores !== undefined,
      SCORES_AT: layout.scores,
      HAS_BIAS: (scores?.bias ?? -1) >= 0,
      BIAS: Math.max(0, scores?.bias ?? 0),
      HAS_OUTPUT_GATE: shared?.outputGate !== undefined,
      GATE_KIND: kinds[1] ?? 0,
      UP_KIND: kinds[2] ?? 0,
      OUTPUT_GATE_KIND: kinds[3] ?? 0,
      GATE_BASE: parts[0]?.baseVec4 ?? 0,
      UP_BASE: parts[1]?.baseVec4 ?? 0,
      OUTPUT_GATE_BASE: parts[2]?.baseVec4 ?? 0,
    },
    types,
    snippets: [inputNormed, silu],
  });
  return { program, grid: [laneGrid(variant, nBlocks), 1, 1] };
}
