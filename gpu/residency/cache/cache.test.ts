/** The bookkeeping of slots, of the transit slab and of the RAM pool; the host's top K. */
import { describe, expect, test } from 'vitest';
import { firstExperts } from '../first-experts.ts';
import { lru } from '../policy/lru.ts';
import { LayerSlots } from './layer-slots.ts';
import { RamPool } from './ram-pool.ts';
import { topExperts } from './top-experts.ts';
import { TransitSlots } from './transit-slots.ts';

const kept = (layer: number, ...experts: number[]) => new Map([[layer, new Set(experts)]]);

describe('slots of a layer', () => {
  const shape = { nExperts: 6, nSlots: 3, nUsed: 2 };
  const make = (occupants: number[]) => new LayerSlots(4, shape, lru(shape), occupants);

  test('a free slot first, then the one whose expert was used longest ago, never one that is kept', () => {
    const slots = make([0, 1]);
    expect(slots.reserve(4, 5, kept(4, 5))).toEqual({ slot: 2, evicted: null });
    expect(slots.has(4, 5)).toBe(false);
    slots.settle(4, 5, 2);
    expect(slots.has(4, 5)).toBe(true);
    slots.used([1, 5]);
    slots.used([0, 1]);
    expect(slots.reserve(4, 3, kept(4, 3, 5))).toEqual({ slot: 0, evicted: { layer: 4, expert: 0 } });
    expect(slots.has(4, 0)).toBe(false);
    slots.settle(4, 3, 0);
    expect(slots.residents().sort()).toEqual([1, 3, 5]);
  });

  test('a reserved slot is nobody else’s; what was given up is free again', () => {
    const slots = make([0, 1, 2]);
    const first = slots.reserve(4, 3, kept(4, 3));
    const second = slots.reserve(4, 4, kept(4, 3, 4));
    expect(first!.slot).not.toBe(second!.slot);
    expect(slots.reserve(4, 5, kept(4, ...slots.residents()))).toBeNull();
    slots.abandon(first!.slot);
    expect(slots.reserve(4, 5, kept(4))).toEqual({ slot: first!.slot, evicted: null });
  });

  test('a policy that evicts what must stay is found out', () => {
    const stubborn = { ...lru(shape), victim: () => 0 };
    const slots = new LayerSlots(4, shape, stubborn, [0, 1, 2]);
    expect(() => slots.reserve(4, 3, kept(4, 0, 3))).toThrow('evicts 0');
  });
});

describe('transit slots', () => {
  test('first come, first gone, over all layers; what an earlier layer wants stays', () => {
    const transit = new TransitSlots(3);
    for (const [layer, expert] of [
      [1, 7],
      [1, 8],
      [2, 7],
    ])
      transit.settle(layer, expert, transit.reserve(layer, expert, new Map())!.slot);
    expect(transit.has(1, 7) && transit.has(2, 7)).toBe(true);
    expect(transit.has(2, 8)).toBe(false);
    expect(transit.reserve(2, 8, kept(1, 7))).toEqual({ slot: 1, evicted: { layer: 1, expert: 8 } });
    expect(transit.reserve(2, 9, kept(1, 7))).toEqual({ slot: 2, evicted: { layer: 2, expert: 7 } });
    expect(transit.reserve(2, 10, kept(1, 7))).toBeNull();
    expect(transit.clear()).toEqual([{ layer: 1, expert: 7 }]);
    expect(transit.has(1, 7)).toBe(false);
  });
});

describe('RAM pool', () => {
  test('where the system has no memory, nothing is lent and nothing is counted', () => {
    const pool = new RamPool(2 ** 60);
    expect(pool.lend(2 ** 53)).toBeNull();
    expect(pool.bytes).toBe(0);
  });

  test('holds no more than its bytes; the least recently read leaves, and its memory is used again', () => {
    const pool = new RamPool(100);
    const put = (key: string, sizeBytes: number) => {
      const room = pool.lend(sizeBytes);
      if (room) pool.put(key, room);
      return room;
    };
    const a = put('a', 40);
    put('b', 40);
    expect(pool.get('a')).toBe(a);
    const c = pool.lend(40);
    expect(pool.get('b')).toBeUndefined();
    expect(c).toHaveLength(40);
    expect(pool.bytes).toBe(80);
    expect(pool.lend(101)).toBeNull();
    pool.giveBack(c!);
    expect(pool.bytes).toBe(0); // `a` made room for the 101 bytes that did not fit either
  });

  test('shrinks at once', () => {
    const pool = new RamPool(100);
    for (const key of ['a', 'b', 'c']) pool.put(key, pool.lend(30)!);
    pool.get('a');
    pool.resize(60);
    expect(pool.bytes).toBe(60);
    expect(['a', 'b', 'c'].filter((key) => pool.get(key))).toEqual(['a', 'c']);
  });

  test('what is lent counts', () => {
    const pool = new RamPool(100);
    expect(pool.lend(60)).not.toBeNull();
    expect(pool.lend(60)).toBeNull();
  });
});

test('the K largest logits, ties to the lower id, as the kernels choose', () => {
  expect(topExperts([0, 3, -1, 3, 5], 3)).toEqual([4, 1, 3]);
  expect(topExperts([-0, 0, 1], 3)).toEqual([2, 0, 1]);
  const slots = (...experts: number[]) => ({ hasSlot: (expert: number) => experts.includes(expert) });
  expect(topExperts([3, 2, 1.5, 0], 2, { margin: 0.75, ...slots(0, 2) })).toEqual([0, 2]);
  expect(topExperts([3, 2, 1.5, 0], 2, { margin: 0.25, ...slots(0, 2) })).toEqual([0, 1]);
  expect(topExperts([3, 2, 1.5, 0], 2, { margin: 0, ...slots(3) })).toEqual([0, 1]);
});

test('slots go to the first experts, or to the most used ones', () => {
  expect(firstExperts(5, 3, undefined)).toEqual([0, 1, 2]);
  expect(firstExperts(5, 3, [1, 4, 1, 0, 4])).toEqual([1, 4, 0]);
  expect(firstExperts(5, 5, [1, 5, 5, 0, 9])).toEqual([4, 1, 2, 0, 3]);
});
