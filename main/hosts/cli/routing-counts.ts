/** How often each expert of each MoE layer was used, and how evenly: pure arithmetic over routing records. */

export interface LayerRouting {
  /** Uses of each expert, [E]. */
  readonly counts: readonly number[];
  /** Shannon entropy of the uses in bits; log2(E) when all are used alike, 0 when one takes all. */
  readonly entropyBits: number;
  /** Experts that were never used. */
  readonly unused: number;
}

export class RoutingCounts {
  readonly #counts: readonly number[][];
  readonly #nUsed: number;
  #tokens = 0;

  constructor(nLayers: number, nExperts: number, nUsed: number) {
    this.#counts = Array.from({ length: nLayers }, () => new Array<number>(nExperts).fill(0));
    this.#nUsed = nUsed;
  }

  get tokens(): number {
    return this.#tokens;
  }

  /** Counts `nTokens` tokens with the expert ids `[MoE layers, nTokens, K]`; returns them by token, `[nTokens][MoE layers][K]`. */
  add(ids: Uint16Array, nTokens: number): number[][][] {
    this.#tokens += nTokens;
    return Array.from({ length: nTokens }, (_, token) =>
      this.#counts.map((counts, layer) => {
        const start = (layer * nTokens + token) * this.#nUsed;
        const used = Array.from(ids.subarray(start, start + this.#nUsed));
        for (const id of used) counts[id]++;
        return used;
      }),
    );
  }

  layers(): LayerRouting[] {
    return this.#counts.map((counts) => ({
      counts,
      entropyBits: entropyBits(counts),
      unused: counts.filter((count) => count === 0).length,
    }));
  }
}

/** −Σ p·log2 p of counts; 0 for no counts at all. */
export function entropyBits(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= (count / total) * Math.log2(count / total);
  return bits;
}
