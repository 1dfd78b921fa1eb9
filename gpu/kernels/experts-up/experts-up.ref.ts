/** Reference of `experts-up`: choose the top K, then gate and up rows of each chosen expert, SwiGLU. */
import { swiglu } from '../../reference/ops/ffn.ts';
import { matvec } from '../../reference/ops/matvec.ts';
import { rmsNorm } from '../../reference/ops/rms-norm.ts';
import { routeTopK, type CacheAwareRouting, type GatingNumbers, type Routing } from '../../reference/ops/routing.ts';
import type { ExpertWeights, NumericArray } from '../../reference/ops/types.ts';

export interface ExpertsUpInput {
  readonly hMid: NumericArray; // [D]
  readonly norm: Float32Array; // [D]
  readonly epsilon: number;
  readonly logits: NumericArray; // [E]
  readonly gating: GatingNumbers;
  readonly cacheAware?: CacheAwareRouting;
  readonly gate: ExpertWeights; // each [F, D]
  readonly up: ExpertWeights; // each [F, D]
}

/** → the choice by rank, and `hidden [K][F]` = silu(gate·x) · (up·x) by rank (not yet weighted). */
export function expertsUpRef(input: ExpertsUpInput): { routing: Routing; hidden: Float64Array[] } {
  const x = rmsNorm(input.hMid, input.norm, input.epsilon);
  const routing = routeTopK(input.logits, input.gating, input.cacheAware);
  const hidden = Array.from(routing.ids, (id) => swiglu(matvec(input.gate(id), x), matvec(input.up(id), x)));
  return { routing, hidden };
}
