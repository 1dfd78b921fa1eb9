/** Reference of `router-matvec`: norm, router rows, and what the shared expert needs of the same input. */
import { swiglu } from '../../reference/ops/ffn.ts';
import { matvec } from '../../reference/ops/matvec.ts';
import { rmsNorm } from '../../reference/ops/rms-norm.ts';
import type { Matrix, NumericArray } from '../../reference/ops/types.ts';

export interface RouterMatvecInput {
  readonly hMid: NumericArray; // [D]
  readonly norm: Float32Array; // [D]
  readonly epsilon: number;
  readonly router: Matrix; // [E, D]
  readonly bias?: NumericArray; // [E]
  readonly shared?: {
    readonly gate: Matrix; // [Fs, D]
    readonly up: Matrix; // [Fs, D]
    readonly outputGate?: Matrix; // [1, D]
  };
}

export interface RouterMatvecOutput {
  readonly logits: Float64Array; // [E]
  readonly shared?: {
    /** silu(gate) · up, [Fs]. */
    readonly hidden: Float64Array;
    /** Before the sigmoid; absent without an output gate. */
    readonly gateLogit?: number;
  };
}

export function routerMatvecRef(input: RouterMatvecInput): RouterMatvecOutput {
  const x = rmsNorm(input.hMid, input.norm, input.epsilon);
  const logits = matvec(input.router, x, input.bias);
  if (!input.shared) return { logits };
  const { gate, up, outputGate } = input.shared;
  return {
    logits,
    shared: {
      hidden: swiglu(matvec(gate, x), matvec(up, x)),
      ...(outputGate && { gateLogit: matvec(outputGate, x)[0] }),
    },
  };
}
