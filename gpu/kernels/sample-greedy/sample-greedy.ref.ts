/** Reference of `sample-greedy`: the most likely token, ties to the lower id. */
import type { NumericArray } from '../../reference/ops/types.ts';

/** `logits [V]` → id. */
export function sampleGreedyRef(logits: NumericArray): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id] > logits[best]) best = id;
  return best;
}
