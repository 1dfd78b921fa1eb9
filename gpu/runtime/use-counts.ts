/** How often each expert was used, to know who leaves when slots must go. */
import type { ModelSpec } from '../architectures/types.ts';

export class UseCounts {
  /** Per MoE layer, one per expert. */
  readonly counts: readonly Float64Array[];

  /** `before`: what to start from. */
  constructor(model: ModelSpec, before?: readonly ArrayLike<number>[]) {
    const sizes = model.layers.flatMap(({ ffn }) => (ffn.kind === 'moe' ? [ffn.moe.nExperts] : []));
    this.counts = sizes.map((nExperts, i) => Float64Array.from({ length: nExperts }, (_, expert) => before?.[i]?.[expert] ?? 0));
  }

  /** `routing`: expert ids `[MoE layers, K]` of one token. */
  add(routing: Uint16Array): void {
    const nUsed = routing.length / this.counts.length;
    routing.forEach((expert, i) => this.counts[Math.floor(i / nUsed)][expert]++);
  }
}
