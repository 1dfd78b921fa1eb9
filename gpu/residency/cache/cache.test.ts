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
  /** As the store does: looks, and keeps what it read where it may. */
  const reader = (capacityBytes: number, sizeBytes: number) => {
    const pool = new RamPool(capacityBytes);
    const read = (key: string, isScan = false) => {
      if (pool.get(key, isScan)) return 'held';
      const room = pool.lend(key, sizeBytes);
      if (room) pool.put(key, room);
      return room ? 'kept' : 'passed';
    };
    return { pool, read, held: (...keys: string[]) => keys.filter((key) => pool.get(key, true)).join('') };
  };

  test('where the system has no memory, nothing is lent and nothing is counted', () => {
    const pool = new RamPool(2 ** 60);
    expect(pool.lend('a', 2 ** 53)).toBeNull();
    expect(pool.bytes).toBe(0);
  });

  test('holds no more than its bytes; whoever was asked for less leaves, and its memory is used again', () => {
    const { pool, read, held } = reader(100, 40);
    const before = ['a', 'b', 'a', 'c'].map((key) => read(key));
    expect(before).toEqual(['kept', 'kept', 'held', 'passed']); // as often as `b`: nobody’s place
    const b = pool.get('b', true);
    expect(pool.get('c', false)).toBeUndefined();
    const lent = pool.lend('c', 40);
    expect(lent).toBe(b);
    expect(held('a', 'b', 'c')).toBe('a');
    expect(pool.bytes).toBe(80); // what is lent counts
    pool.giveBack(lent!);
    expect(pool.bytes).toBe(40);
    for (let times = 0; times < 9; times++) pool.get('large', false);
    expect(pool.lend('large', 101)).toBeNull();
    expect(held('a')).toBe('a'); // nobody left for what does not fit either way
  });

  test('several leave for one that is larger', () => {
    const { pool, read, held } = reader(100, 30);
    for (const key of ['a', 'b', 'c', 'b']) read(key);
    for (let times = 0; times < 3; times++) pool.get('large', false);
    expect(pool.lend('large', 70)).toHaveLength(70);
    expect(held('a', 'b', 'c')).toBe('b');
  });

  test('of those asked for as often the one longest ago leaves; shrinking takes the least asked for, at once', () => {
    const { pool, read, held } = reader(120, 30);
    for (const key of ['a', 'b', 'c', 'd', 'b', 'a', 'c', 'd', 'd', 'c']) read(key);
    pool.resize(90);
    expect(held('a', 'b', 'c', 'd')).toBe('acd');
    pool.resize(30);
    expect(held('a', 'b', 'c', 'd')).toBe('c');
    expect(pool.bytes).toBe(30);
  });

  test('old counts fade', () => {
    const { read, held } = reader(60, 30);
    for (let times = 0; times < 1000; times++) ['a', 'b'].forEach((key) => read(key));
    for (let times = 0; times < 1000 && !held('c'); times++) read('c');
    expect(held('a', 'b', 'c')).toBe('bc');
  });

  test('a prompt, which reads more than the pool holds, leaves what decode has earned', () => {
    const { read, held } = reader(100, 25);
    const all = ['a', 'b', 'c', 'd', 'e', 'f'];
    const prompt = () => all.filter((key) => read(key, true) === 'held').join('');
    expect(prompt()).toBe(''); // there is room for four of the first prompt
    expect(held(...all)).toBe('abcd');
    for (const key of ['e', 'b', 'f']) read(key); // of those that only the prompt has read two leave
    expect(held(...all)).toBe('bdef');
    for (let chunk = 0; chunk < 3; chunk++) expect(prompt()).toBe('bdef');
    read('a');
    prompt();
    expect(held(...all)).toBe('abef');
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
