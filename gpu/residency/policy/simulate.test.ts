/** The simulator against hand-counted traces and against the best that exhaustive search finds. */
import { expect, test } from 'vitest';
import { drawUnit } from '../../reference/ops/random.ts';
import { comparePolicies, POLICY_NAMES } from './compare.ts';
import type { CachePolicyFactory } from '../types.ts';
import { lfu } from './lfu.ts';
import { lru } from './lru.ts';
import { ONLINE_POLICIES } from './policies.ts';
import { simulate } from './simulate.ts';
import { traceStatistics } from './statistics.ts';
import { concatTraces, layerRequests, shuffleTokens, traceCounts, type RoutingTrace } from './trace.ts';

const SEED = 20260722;

/** Tokens as [layer][rank] ids; the first `nPrompt` are a prompt's. */
function traceOf(tokens: readonly (readonly (readonly number[])[])[], nExperts: number, nPrompt = 0): RoutingTrace {
  return {
    model: 'test',
    layers: tokens[0].map((_, layer) => layer),
    nExperts,
    nUsed: tokens[0][0].length,
    nTokens: tokens.length,
    experts: Uint16Array.from(tokens.flat(2)),
    isPrompt: Uint8Array.from(tokens, (_, token) => (token < nPrompt ? 1 : 0)),
    positions: Uint32Array.from(tokens, (_, token) => token),
  };
}

/** A skewed random trace: low ids are likelier. */
function randomTrace(seed: number, nTokens: number, nLayers: number, nExperts: number, nUsed: number): RoutingTrace {
  let draw = 0;
  const tokens = Array.from({ length: nTokens }, () =>
    Array.from({ length: nLayers }, () => {
      const ids = new Set<number>();
      while (ids.size < nUsed) ids.add(Math.floor(drawUnit(seed, draw++) ** 2 * nExperts));
      return [...ids];
    }),
  );
  return traceOf(tokens, nExperts);
}

test('hits and misses are counted per layer, per token and in total', () => {
  const trace = traceOf(
    [
      [[0], [3]],
      [[1], [3]],
      [[0], [2]],
      [[2], [3]],
      [[0], [1]],
    ],
    4,
  );
  const result = simulate(trace, { nSlots: 2, policy: lru });
  // layer 0: 0 m, 1 m, 0 h, 2 m (1 leaves), 0 h; layer 1: 3 m, 3 h, 2 m, 3 h, 1 m (2 leaves)
  expect(result.layers).toEqual([
    { hits: 2, misses: 3, hitRate: 0.4 },
    { hits: 2, misses: 3, hitRate: 0.4 },
  ]);
  expect(result).toMatchObject({ hits: 4, misses: 6, hitRate: 0.4, nTokens: 5 });
  expect([...result.missesByToken]).toEqual([2, 1, 1, 1, 1]);
  expect([...result.missingLayersByToken]).toEqual([2, 1, 1, 1, 1]);
});

test('slots full at the start spare the first misses', () => {
  const trace = traceOf([[[0]], [[1]], [[2]]], 3);
  expect(simulate(trace, { nSlots: 2, policy: lru }).misses).toBe(3);
  expect(simulate(trace, { nSlots: 2, policy: lru, start: 'filled' }).misses).toBe(1);
});

test('a profile fills the slots with the most used, and the policy knows them', () => {
  const earlier = traceOf([[[3]], [[3]], [[2]], [[2]], [[1]]], 4);
  const start = traceCounts(earlier);
  expect(start.map((counts) => [...counts])).toEqual([[0, 1, 2, 2]]);
  const trace = traceOf([[[3]], [[0]], [[2]], [[3]]], 4);
  expect(simulate(trace, { nSlots: 2, policy: lru }).misses).toBe(4);
  // 3 hits, 0 takes the slot of 2, 2 takes that of 3, 3 that of 0
  expect(simulate(trace, { nSlots: 2, policy: lru, start }).misses).toBe(3);
  const told: number[][] = [];
  simulate(trace, {
    nSlots: 2,
    start,
    policy: (layer) => ({ ...lru(layer), warm: (counts) => void told.push(Array.from(counts)) }),
  });
  expect(told).toEqual([[0, 1, 2, 2]]);
});

test('a prompt asks for nothing but its counts are known, or asks like an answer', () => {
  const tokens = [[[2]], [[2]], [[0]], [[1]], [[2]]];
  const trace = traceOf(tokens, 3, 2);
  expect(simulate(trace, { nSlots: 1, policy: lru })).toMatchObject({ nTokens: 3, misses: 3 });
  expect(simulate(trace, { nSlots: 1, policy: lru, prompt: 'demand' })).toMatchObject({ nTokens: 5, misses: 4, hits: 1 });
  const told: number[][] = [];
  simulate(trace, {
    nSlots: 1,
    policy: (layer) => ({ ...lru(layer), warm: (counts) => void told.push(Array.from(counts)) }),
  });
  expect(told).toEqual([[0, 0, 2]]);
});

test('Belady misses as often as the best of all possible choices', () => {
  for (let seed = SEED; seed < SEED + 12; seed++) {
    const trace = randomTrace(seed, 10, 1, 6, 2);
    const best = fewestMisses(layerRequests(trace, 0), 2, 3);
    expect(simulate(trace, { nSlots: 3, policy: 'belady' }).misses, `seed ${seed}`).toBe(best);
  }
});

test('no policy beats Belady, and all miss only first uses when every expert has a slot', () => {
  const trace = randomTrace(SEED, 300, 3, 16, 2);
  for (const nSlots of [4, 6, 8, 16])
    for (const result of comparePolicies(trace, { nSlots, names: POLICY_NAMES, prompt: 'warm' })) {
      expect(result.missesOverBelady, `seed ${SEED}, ${nSlots} slots, ${result.policy}`).toBeGreaterThanOrEqual(1);
      if (result.policy === 'belady' || nSlots === 16) expect(result).toMatchObject({ missesOverBelady: 1, pointsBehind: 0 });
      if (nSlots === 16) expect(result.simulation.misses).toBe(3 * 16);
    }
});

test('shuffled tokens keep their experts and lose their order; then known frequencies are the best without foresight', () => {
  const trace = traceOf(
    Array.from({ length: 1500 }, (_, token) => [
      [(Math.floor(token / 25) * 5 + Math.floor(drawUnit(SEED, token) ** 2 * 6)) % 16],
    ]),
    16,
  );
  const shuffled = shuffleTokens(trace, SEED);
  expect([...shuffled.experts].sort((a, b) => a - b)).toEqual([...trace.experts].sort((a, b) => a - b));
  expect(shuffled.experts).not.toEqual(trace.experts);
  expect(shuffleTokens(trace, SEED)).toEqual(shuffled);
  const misses = (of: RoutingTrace) =>
    Object.fromEntries(
      comparePolicies(of, { nSlots: 6, names: POLICY_NAMES, prompt: 'warm' }).map(({ policy, simulation }) => [
        policy,
        simulation.misses,
      ]),
    );
  const [ordered, random] = [misses(trace), misses(shuffled)];
  expect(ordered.adaptive).toBeLessThan(ordered.frequencies);
  for (const name of ['lru', 'lfu', 'lfru', 'adaptive']) expect(random[name], name).toBeGreaterThan(0.98 * random.frequencies);
  expect(random.frequencies).toBeGreaterThan(1.1 * random.belady);
});

test('more slots never hurt LRU; the same call gives the same result', () => {
  const trace = randomTrace(SEED + 1, 200, 2, 12, 2);
  const misses = [2, 4, 6, 8, 10, 12].map((nSlots) => simulate(trace, { nSlots, policy: ONLINE_POLICIES.lru }).misses);
  expect(misses).toEqual([...misses].sort((a, b) => b - a));
  expect(simulate(trace, { nSlots: 6, policy: ONLINE_POLICIES.lfru })).toEqual(
    simulate(trace, { nSlots: 6, policy: ONLINE_POLICIES.lfru }),
  );
});

test('adaptive comes close to the best of recency and frequency, whichever that is', () => {
  const nSlots = 4;
  const missesOf = (trace: RoutingTrace, policy: CachePolicyFactory) => simulate(trace, { nSlots, policy }).misses;
  // Phases of 40 tokens over four experts each: what was frequent before is worth nothing.
  const phases = traceOf(
    Array.from({ length: 2000 }, (_, token) => [[(Math.floor(token / 40) * 4 + Math.floor(drawUnit(SEED, token) * 4)) % 12]]),
    12,
  );
  // Four favourites, and every other token one of eight that is not soon seen again.
  const favourites = traceOf(
    Array.from({ length: 2000 }, (_, token) => [
      [token % 2 === 0 ? Math.floor(drawUnit(SEED, token) * 4) : 4 + (Math.floor(token / 2) % 8)],
    ]),
    12,
  );
  for (const [trace, better, worse] of [
    [phases, lru, lfu],
    [favourites, lfu, lru],
  ] as const) {
    expect(missesOf(trace, worse)).toBeGreaterThan(1.15 * missesOf(trace, better));
    expect(missesOf(trace, ONLINE_POLICIES.adaptive)).toBeLessThan(1.06 * missesOf(trace, better));
  }
});

test('slots outside K…E are a bug of the caller', () => {
  const trace = traceOf([[[0, 1]]], 4);
  for (const nSlots of [1, 5]) expect(() => simulate(trace, { nSlots, policy: lru })).toThrow(/slots for 2 of 4 experts/);
});

test('reuse and skew of a trace', () => {
  const same = traceOf(
    Array.from({ length: 20 }, () => [[0]]),
    10,
  );
  expect(traceStatistics(same)).toEqual({ reuseNextToken: 1, reuseWithin8: 1, topTenthShare: 1, topQuarterShare: 1 });
  const cycle = traceOf(
    Array.from({ length: 100 }, (_, token) => [[token % 10]]),
    10,
  );
  expect(traceStatistics(cycle)).toEqual({ reuseNextToken: 0, reuseWithin8: 0, topTenthShare: 0.1, topQuarterShare: 0.3 });
});

test('traces follow one another; other shapes do not fit', () => {
  const [a, b] = [randomTrace(1, 5, 2, 8, 2), randomTrace(2, 7, 2, 8, 2)];
  const both = concatTraces([a, b]);
  expect(both.nTokens).toBe(12);
  expect([...layerRequests(both, 1)]).toEqual([...layerRequests(a, 1), ...layerRequests(b, 1)]);
  expect(() => concatTraces([a, randomTrace(1, 5, 2, 9, 2)])).toThrow(/different models/);
});

/** The fewest misses over every sequence of evictions. */
function fewestMisses(requests: Uint16Array, nUsed: number, nSlots: number): number {
  let states = new Map<string, { readonly resident: readonly number[]; readonly misses: number }>([
    ['', { resident: [], misses: 0 }],
  ]);
  for (let at = 0; at < requests.length; at += nUsed) {
    const demand = [...requests.subarray(at, at + nUsed)];
    const next: typeof states = new Map();
    for (const { resident, misses } of states.values()) {
      const missing = demand.filter((expert) => !resident.includes(expert));
      for (const kept of subsets(
        resident.filter((expert) => !demand.includes(expert)),
        nSlots - demand.length,
      )) {
        const after = [...kept, ...demand].sort();
        const key = after.join();
        const total = misses + missing.length;
        if (total < (next.get(key)?.misses ?? Infinity)) next.set(key, { resident: after, misses: total });
      }
    }
    states = next;
  }
  return Math.min(...[...states.values()].map(({ misses }) => misses));
}

function subsets(values: readonly number[], most: number): number[][] {
  let all: number[][] = [[]];
  for (const value of values) all = all.concat(all.map((subset) => [...subset, value]));
  return all.filter((subset) => subset.length <= most);
}
