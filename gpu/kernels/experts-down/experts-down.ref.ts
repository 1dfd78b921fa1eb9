/** Reference of `experts-down`: down rows of each chosen expert, weights in rank order, the shared expert last, then the residual. */
import { mixExperts, sigmoid } from '../../reference/ops/ffn.ts';
import { matvec } from '../../reference/ops/matvec.ts';
import type { Routing } from '../../reference/ops/routing.ts';
import type { ExpertBiases, ExpertWeights, Matrix, NumericArray } from '../../reference/ops/types.ts';

export interface ExpertsDownInput {
  readonly hMid: NumericArray; // [D]
  readonly routing: Pick<Routing, 'ids' | 'weights'>;
  readonly hidden: readonly NumericArray[]; // [K][F]
  readonly down: ExpertWeights; // each [D, F]
  readonly biases?: ExpertBiases;
  readonly shared?: {
    readonly hidden: NumericArray; // [Fs]
    readonly down: Matrix; // [D, Fs]
    /** Before the sigmoid; absent: weight 1. */
    readonly gateLogit?: number;
  };
}

/** → `h_out [D]`. */
export function expertsDownRef(input: ExpertsDownInput): Float64Array {
  const { routing, hidden, down, shared } = input;
  const outputs = hidden.map((row, rank) => matvec(down(routing.ids[rank]), row, input.biases?.(routing.ids[rank])));
  return mixExperts(
    outputs,
    routing.weights,
    input.hMid,
    shared && {
      output: matvec(shared.down, shared.hidden),
      weight: shared.gateLogit === undefined ? 1 : sigmoid(shared.gateLogit),
    },
  );
}
