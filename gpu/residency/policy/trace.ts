/** A routing trace in memory: which experts each token of a text used. Plain data; trace-format.ts reads and writes it. */
import { invariant } from '../../invariant.ts';
import { drawUnit } from '../../reference/ops/random.ts';

export interface TraceShape {
  readonly model: string;
  /** The model's layer index of each MoE layer, ascending. */
  readonly layers: readonly number[];
  readonly nExperts: number; // E
  readonly nUsed: number; // K
}

export interface RoutingTrace extends TraceShape {
  readonly nTokens: number;
  /** `[T, MoE layers, K]`, by rank. */
  readonly experts: Uint16Array;
  /** `[T]` 1: a token of a prompt, 0: of an answer. */
  readonly isPrompt: Uint8Array;
  /** `[T]` Position in its sequence; one that does not follow the last starts another sequence. */
  readonly positions: Uint32Array;
}

/** The requests of one MoE layer, `[T, K]`. */
export function layerRequests({ experts, layers, nTokens, nUsed }: RoutingTrace, layer: number): Uint16Array {
  const out = new Uint16Array(nTokens * nUsed);
  for (let token = 0; token < nTokens; token++) {
    const start = (token * layers.length + layer) * nUsed;
    out.set(experts.subarray(start, start + nUsed), token * nUsed);
  }
  return out;
}

/** Uses of each expert, `[MoE layers][E]`. */
export function traceCounts(trace: RoutingTrace): Float32Array[] {
  return trace.layers.map((_, layer) => {
    const counts = new Float32Array(trace.nExperts);
    for (const expert of layerRequests(trace, layer)) counts[expert]++;
    return counts;
  });
}

/** Traces of one model, one after another, as one conversation after another would come. */
export function concatTraces(traces: readonly RoutingTrace[]): RoutingTrace {
  invariant(traces.length > 0, 'no traces to put together');
  const [first] = traces;
  invariant(
    traces.every((trace) => sameShape(trace, first)),
    'the traces are of different models',
  );
  const join = <T extends Uint8Array | Uint16Array | Uint32Array>(make: (length: number) => T, parts: readonly T[]): T => {
    const out = make(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  };
  return {
    ...first,
    nTokens: traces.reduce((sum, { nTokens }) => sum + nTokens, 0),
    experts: join(
      (n) => new Uint16Array(n),
      traces.map(({ experts }) => experts),
    ),
    isPrompt: join(
      (n) => new Uint8Array(n),
      traces.map(({ isPrompt }) => isPrompt),
    ),
    positions: join(
      (n) => new Uint32Array(n),
      traces.map(({ positions }) => positions),
    ),
  };
}

/** The same tokens in a random order: what is left is how often each expert is used, not when. Prompt marks stay where they are. */
export function shuffleTokens(trace: RoutingTrace, seed: number): RoutingTrace {
  const order = Array.from({ length: trace.nTokens }, (_, token) => token);
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(drawUnit(seed, i) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  const width = trace.layers.length * trace.nUsed;
  const experts = new Uint16Array(trace.experts.length);
  order.forEach((from, to) => experts.set(trace.experts.subarray(from * width, (from + 1) * width), to * width));
  return { ...trace, experts };
}

/** Whether both have the same layers, experts and experts used. */
export function sameShape(a: TraceShape, b: TraceShape): boolean {
  return a.nExperts === b.nExperts && a.nUsed === b.nUsed && a.layers.join() === b.layers.join();
}
