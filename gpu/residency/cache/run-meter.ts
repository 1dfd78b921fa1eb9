/**
 * What runs, read-backs and loads of this machine and model cost, and where tokens miss, as running averages; from them how far the next run should
 * go (reach.ts). No clock of its own: whoever measures says the milliseconds.
 */
import { bestReach, type LayerMisses } from './reach.ts';

export interface LayerHistory {
  /** A streamed layer: nothing of it is there when a token comes. */
  readonly isCertain: boolean;
  readonly nUsed: number;
}

/** A layer of a committed token. */
export interface CommittedLayer {
  readonly layer: number;
  readonly experts: ArrayLike<number>;
  /** Those that had to be brought for this token. */
  readonly missed: readonly number[];
}

/** Share that the newest value has in an average. */
const NEWEST = 1 / 16;
/** Tokens between two choices. */
const CHOOSE_EVERY = 8;
const GUESSED_LAYER_MS = 0.5;
/** Until something was measured: what run-throughs named on two real models, about (docs/offload.md). */
const PRIOR = { later: 8, found: 5, inVain: 2 };

export class RunMeter {
  /** Kill-test figures since the start. */
  readonly totals = { laterMisses: 0, laterMissesNamed: 0, namedInVain: 0 };
  readonly #layers: (LayerMisses & { readonly nUsed: number })[];
  readonly #readbackMs: number;
  readonly #fetches = new LinearFit();
  #layerMs: number | null = null;
  /** Of the token in progress. */
  #run = { layers: 0, ms: 0 };
  #perExpertMs: number | null = null;
  #named: ReadonlyMap<number, ReadonlySet<number>> | null = null;
  #tokens = 0;
  #reach: number | null = null;

  /** `history[l]`: null where layer l can miss nothing. `readbackMs`: an empty submission and its mapAsync. */
  constructor(history: readonly (LayerHistory | null)[], readbackMs: number) {
    this.#readbackMs = readbackMs;
    this.#layers = history.map((layer) => ({
      chance: layer ? (layer.isCertain ? 1 : 0.5) : 0,
      lacked: layer ? (layer.isCertain ? layer.nUsed : 1) : 0,
      nUsed: layer?.nUsed ?? 0,
    }));
  }

  get layers(): readonly LayerMisses[] {
    return this.#layers;
  }

  /** A run of so many layers, from submission to the read-back. */
  ran(nLayers: number, elapsedMs: number): void {
    this.#run.layers += nLayers;
    this.#run.ms += Math.max(0, elapsedMs - this.#readbackMs);
  }

  /** So many experts came in one turn. */
  fetched(nExperts: number, elapsedMs: number): void {
    this.#perExpertMs = steady(this.#perExpertMs, elapsedMs / nExperts);
    this.#fetches.add(nExperts, Math.min(elapsedMs, 4 * nExperts * this.#perExpertMs));
  }

  /** What a token's first run-through past a miss named as absent in the layers behind it; every layer that it looked at is a key. */
  forecast(named: ReadonlyMap<number, ReadonlySet<number>>): void {
    this.#named ??= named;
  }

  committed(layers: readonly CommittedLayer[]): void {
    for (const { layer, experts, missed } of layers) {
      const own = this.#layers[layer];
      if (own.chance > 0 && own.chance < 1) {
        const chance = own.chance + ((missed.length > 0 ? 1 : 0) - own.chance) * NEWEST;
        const lacked = missed.length > 0 ? own.lacked + (missed.length - own.lacked) * NEWEST : own.lacked;
        this.#layers[layer] = { ...own, chance: Math.min(0.999, Math.max(0.001, chance)), lacked };
      }
      const named = this.#named?.get(layer);
      if (!named) continue;
      const wanted = new Set(Array.from(experts));
      this.totals.laterMisses += missed.length;
      this.totals.laterMissesNamed += missed.filter((expert) => named.has(expert)).length;
      this.totals.namedInVain += [...named].filter((expert) => !wanted.has(expert)).length;
    }
    this.#named = null;
    // By the token, not by the run: a run of one layer is shorter than the clock of whoever polls for its end.
    const { layers: nLayers, ms } = this.#run;
    if (nLayers > 0) this.#layerMs = steady(this.#layerMs, Math.max(0.001, ms / nLayers));
    this.#run = { layers: 0, ms: 0 };
    if (this.#tokens++ % CHOOSE_EVERY === 0) this.#reach = null;
  }

  /** Layers that the next run should go before the host looks. */
  reach(): number {
    if (this.#reach === null) {
      const { laterMisses, laterMissesNamed, namedInVain } = this.totals;
      const found = (PRIOR.found + laterMissesNamed) / (PRIOR.later + laterMisses);
      const wasted = (PRIOR.inVain + namedInVain) / (PRIOR.found + laterMissesNamed);
      const { atNone: fetchMs, each: expertMs } = this.#fetches;
      const costs = { layerMs: this.#layerMs ?? GUESSED_LAYER_MS, readbackMs: this.#readbackMs, fetchMs, expertMs };
      this.#reach = bestReach(this.#layers, costs, { found, wasted });
    }
    return this.#reach;
  }
}

/**
 * A running average that outliers hardly move: other programs take their turns, so what is slower counts as twice the average at most. Drivers
 * compile at a first dispatch: what takes less than half of the average makes it fall at once.
 */
export function steady(average: number | null, value: number): number {
  if (average === null) return value;
  if (value < average / 2) return (average + value) / 2;
  return average + (Math.min(value, 2 * average) - average) * NEWEST;
}

/** Least squares y = atNone + each · x over what came last, old values fading; neither is ever negative. */
export class LinearFit {
  #n = 0;
  #x = 0;
  #y = 0;
  #xx = 0;
  #xy = 0;

  add(x: number, y: number): void {
    const keep = 1 - NEWEST / 4;
    this.#n = this.#n * keep + 1;
    this.#x = this.#x * keep + x;
    this.#y = this.#y * keep + y;
    this.#xx = this.#xx * keep + x * x;
    this.#xy = this.#xy * keep + x * y;
  }

  get each(): number {
    if (this.#x === 0) return 1;
    const spread = this.#n * this.#xx - this.#x * this.#x;
    const through = this.#y / this.#x; // all the same x: through the origin
    if (spread < 1e-6 * this.#x * this.#x) return through;
    return Math.min(through, Math.max(0, (this.#n * this.#xy - this.#x * this.#y) / spread));
  }

  get atNone(): number {
    return this.#n === 0 ? 0 : Math.max(0, (this.#y - this.each * this.#x) / this.#n);
  }
}
