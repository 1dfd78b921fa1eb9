/**
 * Replays a routing trace through slots and a policy, layer by layer, without a GPU: what would have been a hit, what a miss. Pure. Every
 * expert that a token uses must be in a slot when its layer runs (exact mode), so a miss always takes a slot: a free one first, else the victim's.
 */
import { invariant } from '../../invariant.ts';
import { firstExperts } from '../first-experts.ts';
import type { CachePolicyFactory } from '../types.ts';
import { belady, foresight } from './belady.ts';
import { fetchMissing } from './fetch-missing.ts';
import { knownFrequencies } from './known-frequencies.ts';
import { defaultPolicy } from './policies.ts';
import { layerRequests, type RoutingTrace } from './trace.ts';

export interface SimulationOptions {
  /** Per layer, at least K and at most E. */
  readonly nSlots: number;
  /** Offline policies are told the layer's requests beforehand. */
  readonly policy: CachePolicyFactory | OfflinePolicyName;
  /** `warm` (default): as in the app, a prompt passes through buffers of its own and only tells the policy its counts; `demand`: it asks for experts like any token. */
  readonly prompt?: PromptRole;
  /** What the slots hold at the start; default `empty`. */
  readonly start?: StartingSlots;
}

/** `filled`: experts of the lowest ids, as after loading; counts `[MoE layers][E]`: the most used, and the policy is told. */
export type StartingSlots = 'empty' | 'filled' | readonly ArrayLike<number>[];

/** Bars that no engine could have: belady.ts, known-frequencies.ts. */
const OFFLINE_POLICIES = {
  frequencies: knownFrequencies,
  'next-1': (requests) => foresight(requests, 1, defaultPolicy),
  'next-2': (requests) => foresight(requests, 2, defaultPolicy),
  'next-4': (requests) => foresight(requests, 4, defaultPolicy),
  belady,
} as const satisfies Readonly<Record<string, (requests: Uint16Array) => CachePolicyFactory>>;
export type OfflinePolicyName = keyof typeof OFFLINE_POLICIES;
export const OFFLINE_POLICY_NAMES = Object.keys(OFFLINE_POLICIES) as readonly OfflinePolicyName[];

export type PromptRole = 'warm' | 'demand';

export interface LayerSimulation {
  /** (token, rank) uses. */
  readonly hits: number;
  readonly misses: number;
  readonly hitRate: number;
}

export interface Simulation extends LayerSimulation {
  readonly layers: readonly LayerSimulation[];
  /** Tokens that asked for experts. */
  readonly nTokens: number;
  /** Misses of each of these tokens over all layers, [nTokens]. */
  readonly missesByToken: Uint32Array;
  /** Layers with a miss, by token, [nTokens]. */
  readonly missingLayersByToken: Uint32Array;
}

/** Counts of a prompt's last tokens are what the policy is told: what was asked long before the answer says little. */
const PROMPT_TAIL_TOKENS = 64;

/** Throws an invariant when `nSlots` is impossible for the trace: callers check what users give. */
export function simulate(trace: RoutingTrace, options: SimulationOptions): Simulation {
  const { nSlots, prompt = 'warm' } = options;
  invariant(nSlots >= trace.nUsed && nSlots <= trace.nExperts, `${nSlots} slots for ${trace.nUsed} of ${trace.nExperts} experts`);
  const nTokens = prompt === 'demand' ? trace.nTokens : trace.isPrompt.reduce((count, mark) => count - mark, trace.nTokens);
  const missesByToken = new Uint32Array(nTokens);
  const missingLayersByToken = new Uint32Array(nTokens);
  const layers = trace.layers.map((_, layer) => {
    let misses = 0;
    simulateLayer(trace, layer, options, (token, missed) => {
      misses += missed;
      missesByToken[token] += missed;
      missingLayersByToken[token] += missed > 0 ? 1 : 0;
    });
    return rates(nTokens * trace.nUsed, misses);
  });
  const total = rates(
    nTokens * trace.nUsed * layers.length,
    layers.reduce((sum, { misses }) => sum + misses, 0),
  );
  return { ...total, layers, nTokens, missesByToken, missingLayersByToken };
}

function simulateLayer(
  trace: RoutingTrace,
  layer: number,
  { nSlots, policy: chosen, prompt = 'warm', start = 'empty' }: SimulationOptions,
  onToken: (token: number, missed: number) => void,
): void {
  const { nExperts, nUsed } = trace;
  const requests = layerRequests(trace, layer);
  const demanded = (token: number) => prompt === 'demand' || trace.isPrompt[token] === 0;
  const asked = requests.filter((_, i) => demanded(Math.floor(i / nUsed)));
  const factory = typeof chosen === 'function' ? chosen : OFFLINE_POLICIES[chosen](asked);
  const policy = factory({ nExperts, nSlots, nUsed });
  const resident = startingSlots(start, layer, nSlots, nExperts);
  if (typeof start === 'object') policy.warm(start[layer]);
  let nAsked = 0;
  for (let token = 0; token < trace.nTokens; token++) {
    if (!demanded(token)) {
      if (token + 1 === trace.nTokens || demanded(token + 1)) policy.warm(promptTailCounts(trace, requests, token));
      continue;
    }
    const experts = requests.subarray(token * nUsed, (token + 1) * nUsed);
    onToken(nAsked++, fetchMissing(policy, resident, experts, nSlots));
    policy.used(experts);
  }
}

function startingSlots(start: StartingSlots, layer: number, nSlots: number, nExperts: number): Set<number> {
  if (start === 'empty') return new Set();
  return new Set(firstExperts(nExperts, nSlots, start === 'filled' ? undefined : start[layer]));
}

/** Uses of each expert over the last prompt tokens up to `last`, [E]. */
function promptTailCounts(trace: RoutingTrace, requests: Uint16Array, last: number): Uint32Array {
  const counts = new Uint32Array(trace.nExperts);
  for (let token = last; token > last - PROMPT_TAIL_TOKENS && token >= 0 && trace.isPrompt[token] === 1; token--)
    for (let rank = 0; rank < trace.nUsed; rank++) counts[requests[token * trace.nUsed + rank]]++;
  return counts;
}

function rates(uses: number, misses: number): LayerSimulation {
  return { hits: uses - misses, misses, hitRate: uses > 0 ? (uses - misses) / uses : 1 };
}
