/**
 * The border between what decides where experts live (the plan, the cache policy: pure) and what carries it out (the engine). Plain data and
 * three small interfaces; nothing here touches the GPU.
 */

/** Where the experts of one MoE layer live on the GPU. */
export type LayerResidency =
  | { readonly kind: 'resident' } // every expert has a slot
  | { readonly kind: 'slotted'; readonly nSlots: number } // at least 2·K slots; the rest comes when it is missed
  | { readonly kind: 'streamed' }; // no slots of its own: all streamed layers share one transit slab, filled per layer

export interface ResidencyPlan {
  /** One entry per MoE layer, in layer order. */
  readonly layers: readonly LayerResidency[];
  /** Expert bytes (as in the file) kept in RAM besides the slots; 0: none, the operating system's page cache serves. */
  readonly ramPoolBytes: number;
  /** Bytes of mapped staging buffers through which experts come, all together, with the scratch in which they are put into planes. */
  readonly stagingBytes: number;
  /**
   * Slots of the transit slab, at least K: experts of streamed layers pass through it in decode, those of all layers that are not resident in
   * prefill. Default 2·K. There is none where all is resident.
   */
  readonly transitSlots?: number;
}

/** Every expert in its own slot. */
export function allResident(nMoeLayers: number): ResidencyPlan {
  return { layers: Array.from({ length: nMoeLayers }, () => ({ kind: 'resident' as const })), ramPoolBytes: 0, stagingBytes: 0 };
}

/** Which expert of one layer leaves when another comes. No clock, no randomness: the same calls give the same victims. */
export interface CachePolicy {
  /** The experts that a committed token used at this layer, by rank. Once per layer and token, hits and misses alike. */
  used(experts: ArrayLike<number>): void;
  /** One of `resident` that is not in `keep`; there always is one. */
  victim(resident: Iterable<number>, keep: ReadonlySet<number>): number;
  /** Starts from counts of earlier answers, one per expert. */
  warm(counts: ArrayLike<number>): void;
}

export interface CacheLayer {
  readonly nExperts: number;
  readonly nSlots: number;
  readonly nUsed: number;
}

export type CachePolicyFactory = (layer: CacheLayer) => CachePolicy;

/** Where the bytes of an expert came from when it was needed. */
export type ExpertTier = 'gpu' | 'ram' | 'disk';

/** Totals since the model was loaded. */
export interface ResidencyCounters {
  /** (layer, token, rank) uses by where the expert was when the token first asked for it. */
  readonly hits: number;
  readonly missesFromRam: number;
  readonly missesFromDisk: number;
  readonly evictions: number;
  readonly expertBytesRead: number;
  readonly expertBytesUploaded: number;
  /** Tokens that ended in one run; runs again from a missing layer; scout passes. */
  readonly tokensWithoutMiss: number;
  readonly resumes: number;
  readonly scouts: number;
  /** Misses in layers that a token's first run past a miss looked at, those of them that it named, and experts that it named in vain. */
  readonly laterMisses: number;
  readonly laterMissesNamed: number;
  readonly namedInVain: number;
  /** Uses of an expert that exact routing would not have chosen; 0 unless approximate routing is on. */
  readonly substitutes: number;
  readonly slotsBytes: number;
  readonly ramPoolBytes: number;
}

/** GPU memory by account of the engine's ledger; `experts` is slots, transit slab and tables. */
export interface GpuBytes {
  readonly weightsBytes: number;
  readonly expertsBytes: number;
  readonly kvBytes: number;
  readonly activationsBytes: number;
  readonly stagingBytes: number;
  readonly totalBytes: number;
}

/** What the experts did during one answer. Bytes and counts; nothing about what was asked or answered. */
export interface ExpertActivity {
  /** Tokens of the answer that are counted so far, and experts used by each of them per layer. */
  readonly tokens: number;
  readonly nUsed: number;
  /** One per MoE layer: its place in the model, and how often each of its experts was used. */
  readonly layers: readonly { readonly layer: number; readonly uses: readonly number[] }[];
  /** Uses over all layers by how many other experts of the layer were used since the last time, `[E]`. */
  readonly usesByDepth: readonly number[];
  /** (layer, token, rank) uses since the answer began, by where the expert was. */
  readonly hits: number;
  readonly missesFromRam: number;
  readonly missesFromDisk: number;
  /** Of them those of an expert that exact routing would not have chosen; 0 unless approximate routing is on. */
  readonly substitutes: number;
  readonly gpuMemory: GpuBytes;
  readonly ramPoolBytes: number;
}

/** Of an engine that has done nothing, or whose experts all have slots. */
export function noCounts(slotsBytes: number): ResidencyCounters {
  return {
    hits: 0,
    missesFromRam: 0,
    missesFromDisk: 0,
    evictions: 0,
    expertBytesRead: 0,
    expertBytesUploaded: 0,
    tokensWithoutMiss: 0,
    resumes: 0,
    scouts: 0,
    laterMisses: 0,
    laterMissesNamed: 0,
    namedInVain: 0,
    substitutes: 0,
    slotsBytes,
    ramPoolBytes: 0,
  };
}
