/** Each policy's choices as a table: what was used, what is resident and kept, what must leave. */
import { describe, expect, test } from 'vitest';
import type { CachePolicyFactory } from '../types.ts';
import { belady, foresight } from './belady.ts';
import { lfru, LFRU_DEFAULTS, lfruWith } from './lfru.ts';
import { lfu } from './lfu.ts';
import { lru } from './lru.ts';
import { ONLINE_POLICIES } from './policies.ts';

interface Row {
  readonly name: string;
  readonly policy: CachePolicyFactory;
  readonly warm?: readonly number[];
  /** Experts of each token, oldest first. */
  readonly tokens: readonly (readonly number[])[];
  readonly resident: readonly number[];
  readonly keep?: readonly number[];
  readonly victim: number;
}

const repeat = (n: number, experts: readonly number[]) => Array.from({ length: n }, () => experts);
const unprotected = lfruWith({ ...LFRU_DEFAULTS, protectedTokens: 0 });

const rows: readonly Row[] = [
  { name: 'lru: the oldest use leaves', policy: lru, tokens: [[0], [1], [2], [0]], resident: [0, 1, 2], victim: 1 },
  { name: 'lru: not what is kept', policy: lru, tokens: [[0], [1], [2], [0]], resident: [0, 1, 2], keep: [1], victim: 2 },
  { name: 'lru: how often does not matter', policy: lru, tokens: [...repeat(9, [3]), [1], [2]], resident: [1, 2, 3], victim: 3 },
  { name: 'lru: one never used leaves first', policy: lru, tokens: [[0], [1]], resident: [0, 1, 5], victim: 5 },
  { name: 'lru: equal uses leave by the lower id', policy: lru, tokens: [[4, 2], [0]], resident: [4, 2, 0], victim: 2 },
  { name: 'lru: warm counts order the unused', policy: lru, warm: [9, 0, 3, 0], tokens: [[1]], resident: [0, 1, 2], victim: 2 },
  {
    name: 'lfu: the rarest leaves, however recent',
    policy: lfu,
    tokens: [[0], [0], [1], [1], [2]],
    resident: [0, 1, 2],
    victim: 2,
  },
  { name: 'lfu: equal counts leave by age', policy: lfu, tokens: [[2], [0], [1]], resident: [0, 1, 2], victim: 2 },
  {
    name: 'lfu: warm counts count',
    policy: lfu,
    warm: [0, 0, 5, 0],
    tokens: [[0], [0], [1], [2]],
    resident: [0, 1, 2],
    victim: 1,
  },
  {
    name: 'lfru: old frequency fades',
    policy: lfru,
    tokens: [...repeat(20, [0]), ...repeat(900, [1]), ...repeat(5, [2]), [3], [3]],
    resident: [0, 1, 2],
    victim: 0,
  },
  {
    name: 'lfru: frequency beats a single recent use',
    policy: lfru,
    tokens: [...repeat(30, [0]), [1], ...repeat(12, [2])],
    resident: [0, 1, 2],
    victim: 1,
  },
  {
    name: 'lfru: the last tokens are protected',
    policy: lfru,
    tokens: [...repeat(30, [0]), [1], [2]],
    resident: [0, 1, 2],
    victim: 0,
  },
  {
    name: 'lfru: without protection the rarer leaves',
    policy: unprotected,
    tokens: [...repeat(30, [0]), [1], [2]],
    resident: [0, 1, 2],
    victim: 1,
  },
  {
    name: 'lfru: protection gives way when all are protected',
    policy: lfru,
    tokens: [
      [0, 1],
      [1, 2],
    ],
    resident: [0, 1, 2],
    keep: [1],
    victim: 0,
  },
  {
    name: 'lfru: warm counts order the unused',
    policy: lfru,
    warm: [9, 0, 3, 0],
    tokens: [[1], [1], [1]],
    resident: [0, 2, 3],
    victim: 3,
  },
  {
    name: 'belady: the farthest next use leaves',
    policy: belady([0, 1, 2, 1, 0, 2]),
    tokens: [[0], [1], [2]],
    resident: [0, 1, 2],
    victim: 2,
  },
  {
    name: 'belady: what is never used again leaves first',
    policy: belady([0, 1, 2, 1, 2]),
    tokens: [[0], [1]],
    resident: [0, 1, 2],
    victim: 0,
  },
  {
    name: 'foresight: of what is not seen ahead the other policy chooses',
    policy: foresight([1, 0, 2, 3, 3, 0, 1], 2, lru),
    tokens: [[1], [0], [2]],
    resident: [0, 1, 2],
    victim: 1,
  },
  {
    name: 'foresight: who is seen ahead stays, however long unused',
    policy: foresight([0, 1, 2, 3, 0, 1], 1, lru),
    tokens: [[0], [1], [2]],
    resident: [0, 1, 2],
    victim: 1,
  },
  {
    name: 'foresight: where all are seen ahead the farthest leaves',
    policy: foresight([0, 1, 2, 3, 1, 2, 0], 3, lru),
    tokens: [[0], [1], [2]],
    resident: [0, 1, 2],
    victim: 0,
  },
];

test.each(rows)('$name', ({ policy, warm, tokens, resident, keep = [], victim }) => {
  for (const order of [resident, [...resident].reverse()]) {
    const cache = policy({ nExperts: warm?.length ?? 6, nSlots: resident.length, nUsed: tokens[0].length });
    if (warm) cache.warm(warm);
    for (const experts of tokens) cache.used(experts);
    expect(cache.victim(order, new Set(keep))).toBe(victim);
  }
});

describe.each(Object.entries(ONLINE_POLICIES))('%s', (_, policy) => {
  test('asking for a victim changes nothing; the same calls give the same answers', () => {
    const run = (asks: number) => {
      const cache = policy({ nExperts: 8, nSlots: 4, nUsed: 2 });
      cache.warm([0, 1, 2, 3, 4, 5, 6, 7]);
      const victims: number[] = [];
      for (let token = 0; token < 40; token++) {
        for (let i = 0; i < asks; i++) victims[token] = cache.victim([0, 2, 3, 5, 7], new Set([token % 8]));
        cache.used([(token * 3) % 8, (token * 3 + 1) % 8]);
      }
      return victims;
    };
    expect(run(3)).toEqual(run(1));
  });

  test('all kept is a bug of the caller', () => {
    const cache = policy({ nExperts: 4, nSlots: 2, nUsed: 2 });
    expect(() => cache.victim([0, 1], new Set([0, 1]))).toThrow(/every resident expert is kept/);
  });
});

test.each(['lru', 'lfru', 'adaptive'] as const)('%s does not believe warm counts forever', (name) => {
  const cache = ONLINE_POLICIES[name]({ nExperts: 3, nSlots: 2, nUsed: 1 });
  cache.warm([1e9, 0, 0]);
  for (let token = 0; token < 2000; token++) cache.used([1 + (token % 2)]);
  expect(cache.victim([0, 1, 2], new Set())).toBe(0);
});
