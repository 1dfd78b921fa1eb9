/** Approximate routing (gpu/reference/ops/routing.ts, cache-aware): the range of its margin, and how far it agrees with exact routing. */

/** In logits of the router: below it nothing is replaced, above it next to everything is. */
export const MIN_ROUTING_MARGIN = 0.01;
export const MAX_ROUTING_MARGIN = 16;

export interface ExpertUses {
  readonly hits: number;
  readonly missesFromRam: number;
  readonly missesFromDisk: number;
  readonly substitutes: number;
}

/** Share of the chosen experts that exact routing, asked the same, would have chosen: 0 … 1; null where nothing was counted. */
export function routingAgreement({ hits, missesFromRam, missesFromDisk, substitutes }: ExpertUses): number | null {
  const uses = hits + missesFromRam + missesFromDisk;
  return uses === 0 ? null : 1 - substitutes / uses;
}
