/** Reference of `experts-up`: choose the top K, then gate and up rows of each chosen expert, activation. */
import type { MoeSpec } from '../../architectures/types.ts';
import { ACTIVATIONS } from '../../reference/ops/ffn.ts';
import { matvec } from '../../reference/ops/matvec.ts';
import { rmsNorm } from '../../reference/ops/rms-norm.ts';
import { routeTopK, type CacheAwareRouting, type GatingNumbers, type Routing } from '../../reference/ops/routing.ts';
import type { ExpertBiases, ExpertWeights, NumericArray } from '../../reference/ops/types.ts';

export interface ExpertsUpInput {
  readonly hMid: NumericArray; // [D]
  readonly norm: Float32Array; // [D]
  readonly epsilon: number;
  readonly logits: NumericArray; // [E]
  readonly gating: GatingNumbers;
  readonly cacheAware?: CacheAwareRouting;
  readonly gate: ExpertWeights; // each [F, D]
  readonly up: ExpertWeights; // each [F, D]
  readonly biases?: { readonly gate: ExpertBiases; readonly up: ExpertBiases };
  /** Default `silu`. */
  readonly activation?: MoeSpec['activation'];
}

/** → the choice by rank, and `hidden [K][F]` = silu(gate·x) · (up·x), or another activation of them, by rank (not yet weighted). */
export function expertsUpRef(input: ExpertsUpInput): { routing: Routing; hidden: Float64Array[] } {
  const x = rmsNorm(input.hMid, input.norm, input.epsilon);
  const routing = routeTopK(input.logits, input.gating, input.cacheAware);
  const { biases, activation = 'silu' } = input;
  const hidden = Array.from(routing.ids, (id) =>
    ACTIVATIONS[activation](matvec(input.gate(id), x, biases?.gate(id)), matvec(input.up(id), x, biases?.up(id))),
  );
  return { routing, hidden };
}
