/** Reference of `head-matvec`: final norm, logits, and what sampling needs of each group of rows. */
import { matvec } from '../../reference/ops/matvec.ts';
import { rmsNorm } from '../../reference/ops/rms-norm.ts';
import type { Matrix, NumericArray } from '../../reference/ops/types.ts';

/** `residual [D]`, `norm [D]`, `head [V, D]` → logits `[V]`. */
export function headMatvecRef(residual: NumericArray, norm: Float32Array, epsilon: number, head: Matrix): Float64Array {
  return matvec(head, rmsNorm(residual, norm, epsilon));
}

export interface LogitGroups {
  readonly max: Float64Array; // [groups]
  /** Token id of the maximum, ties to the lower id. */
  readonly argmax: Uint32Array; // [groups]
  /** Σ exp((logit - max of the group) / temperature). */
  readonly sumOfExp: Float64Array; // [groups]
}

/** `logits [V]` in groups of `groupRows` consecutive rows, the last one possibly shorter. */
export function logitGroupsRef(logits: NumericArray, groupRows: number, temperature: number): LogitGroups {
  const nGroups = Math.ceil(logits.length / groupRows);
  const groups = {
    max: new Float64Array(nGroups).fill(-Infinity),
    argmax: new Uint32Array(nGroups),
    sumOfExp: new Float64Array(nGroups),
  };
  for (let group = 0; group < nGroups; group++) {
    const end = Math.min((group + 1) * groupRows, logits.length);
    for (let id = group * groupRows; id < end; id++)
      if (logits[id] > groups.max[group]) {
        groups.max[group] = logits[id];
        groups.argmax[group] = id;
      }
    for (let id = group * groupRows; id < end; id++)
      groups.sumOfExp[group] += Math.exp((logits[id] - groups.max[group]) / temperature);
  }
  return groups;
}
