/**
 * How many layers a token runs before the host looks what it lacked, chosen by expected time: pure. Looking costs a read-back. Running past a miss
 * costs layers that must run again, and pays by forecasting what later layers lack (the scout). Reach 1 asks at every layer, the greatest
 * runs through to the end.
 */

/** Measured per machine and model, in milliseconds. */
export interface ReachCosts {
  /** A layer of one token on the GPU. */
  readonly layerMs: number;
  /** Submission and mapAsync beyond the work itself. */
  readonly readbackMs: number;
  /** What a turn of loading costs however few experts come. */
  readonly fetchMs: number;
  /** One expert, from wherever experts come now. */
  readonly expertMs: number;
}

/** Measured too. */
export interface Forecast {
  /** Share of a layer's misses that a run past an earlier miss names. */
  readonly found: number;
  /** Experts that it names and that are then not wanted, for each one that is. */
  readonly wasted: number;
}

/** One per layer of the model. */
export interface LayerMisses {
  /** The chance that a token lacks an expert here; 0 where every expert has a slot, 1 where none has: no run goes past that layer. */
  readonly chance: number;
  /** Experts that it then lacks. */
  readonly lacked: number;
}

/** Milliseconds that a token takes on average with this reach. */
export function expectedTokenMs(reach: number, layers: readonly LayerMisses[], costs: ReachCosts, forecast: Forecast): number {
  const nLayers = layers.length;
  const { layerMs, readbackMs, fetchMs, expertMs } = costs;
  const known = new Map<number, number>();
  /** From where layer `from` (−1: the embedding) has its experts, and layers up to `seen` have been forecast. */
  const rest = (from: number, seen: number): number => {
    if (from >= nLayers) return 0;
    const key = (from + 1) * (nLayers + 1) + seen + 1;
    const before = known.get(key);
    if (before !== undefined) return before;
    const stop = stopAfter(from, reach, layers);
    const chance = (layer: number) => layers[layer].chance * (layer <= seen ? 1 - forecast.found : 1);
    /** Experts that a run up to `stop` names for the layers behind `miss`. */
    const named = new Float64Array(stop + 2);
    for (let layer = Math.min(stop, nLayers - 1); layer > from; layer--) {
      const found = layer > seen ? layers[layer].chance * layers[layer].lacked * forecast.found : 0;
      named[layer] = named[layer + 1] + found * (1 + forecast.wasted);
    }
    let expected = (Math.min(stop, nLayers) - from) * layerMs + readbackMs;
    let none = 1;
    for (let layer = from + 1; layer <= Math.min(stop, nLayers - 1); layer++) {
      const first = none * chance(layer);
      if (first > 0) {
        const fetched = layers[layer].lacked + named[layer + 1];
        expected += first * (fetchMs + fetched * expertMs + rest(layer, Math.max(seen, stop)));
      }
      none -= first;
    }
    expected += none * rest(stop, Math.max(seen, stop));
    known.set(key, expected);
    return expected;
  };
  return rest(-1, -1);
}

/** The layer before whose experts a run from `from` ends: one that may lack something at least `reach` layers on, or one that is sure to; else the number of layers. */
export function stopAfter(from: number, reach: number, layers: readonly LayerMisses[]): number {
  for (let stop = from + 1; stop < layers.length; stop++) {
    const { chance } = layers[stop];
    if (chance === 1 || (chance > 0 && stop - from >= reach)) return stop;
  }
  return layers.length;
}

/** The reach that takes least time, of the powers of two and the number of layers; of equals the longest, which asks least. */
export function bestReach(layers: readonly LayerMisses[], costs: ReachCosts, forecast: Forecast): number {
  let [best, bestMs] = [layers.length + 1, Infinity];
  for (let reach = layers.length + 1; reach >= 1; reach = reach > layers.length ? largestPower(layers.length) : reach >> 1) {
    const ms = expectedTokenMs(reach, layers, costs, forecast);
    if (ms < bestMs) [best, bestMs] = [reach, ms];
  }
  return best;
}

function largestPower(n: number): number {
  return 2 ** Math.floor(Math.log2(Math.max(1, n)));
}
