/** What decides how well a cache can do, measured on a trace: reuse from token to token, and skew. Figures are means over layers. */
import { layerRequests, type RoutingTrace } from './trace.ts';

export interface TraceStatistics {
  /** Chance that an expert used now is used again at the next token. */
  readonly reuseNextToken: number;
  /** Chance that it is used again within the next 8 tokens. */
  readonly reuseWithin8: number;
  /** Share of all uses that go to the most used tenth, and quarter, of the experts (at least one). */
  readonly topTenthShare: number;
  readonly topQuarterShare: number;
}

const WINDOW_TOKENS = 8;

/** Uses so near the end that their window is cut are left out. A trace too short for one window gives zeros. */
export function traceStatistics(trace: RoutingTrace): TraceStatistics {
  const layers = trace.layers.map((_, layer) => layerStatistics(layerRequests(trace, layer), trace.nExperts, trace.nUsed));
  const mean = (of: (layer: TraceStatistics) => number) => layers.reduce((sum, layer) => sum + of(layer), 0) / layers.length;
  return {
    reuseNextToken: mean((layer) => layer.reuseNextToken),
    reuseWithin8: mean((layer) => layer.reuseWithin8),
    topTenthShare: mean((layer) => layer.topTenthShare),
    topQuarterShare: mean((layer) => layer.topQuarterShare),
  };
}

function layerStatistics(requests: Uint16Array, nExperts: number, nUsed: number): TraceStatistics {
  const nTokens = requests.length / nUsed;
  const nextUse = new Float64Array(nExperts).fill(Infinity);
  const counts = new Float64Array(nExperts);
  let [counted, next, within] = [0, 0, 0];
  for (let token = nTokens - 1; token >= 0; token--)
    for (let rank = 0; rank < nUsed; rank++) {
      const expert = requests[token * nUsed + rank];
      counts[expert]++;
      if (token + WINDOW_TOKENS < nTokens) {
        counted++;
        if (nextUse[expert] === token + 1) next++;
        if (nextUse[expert] <= token + WINDOW_TOKENS) within++;
      }
      nextUse[expert] = token;
    }
  const falling = counts.sort().reverse();
  const share = (part: number) => falling.subarray(0, Math.max(1, Math.round(nExperts * part))).reduce((a, b) => a + b, 0);
  return {
    reuseNextToken: counted > 0 ? next / counted : 0,
    reuseWithin8: counted > 0 ? within / counted : 0,
    topTenthShare: requests.length > 0 ? share(0.1) / requests.length : 0,
    topQuarterShare: requests.length > 0 ? share(0.25) / requests.length : 0,
  };
}
