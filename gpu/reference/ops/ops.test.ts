/** Reference operations against values known from elsewhere: closed forms, hand calculation, published test vectors. */
import { describe, expect, test } from 'vitest';
import { attendRange, combinePartials, firstSeen } from './attention.ts';
import { roundToF16 } from './f16.ts';
import { clampedSwiglu, mixExperts, swiglu } from './ffn.ts';
import { matvec } from './matvec.ts';
import { drawU32, drawUnit, mixU32 } from './random.ts';
import { rmsNorm } from './rms-norm.ts';
import { ropeInPlace, ropeInverseFrequencies } from './rope.ts';
import { routeTopK, softmax, topIndices } from './routing.ts';
import { expertsSortRef } from '../../kernels/experts-sort/experts-sort.ref.ts';
import { sampleCandidatesRef, sampleRef } from '../../kernels/sample/sample.ref.ts';

describe('f16', () => {
  test('ties go to the even neighbour, everything else to the nearest, overflow to infinity', () => {
    expect(roundToF16(1 + 2 ** -11)).toBe(1);
    expect(roundToF16(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
    expect(roundToF16(-(1 + 2 ** -11 + 2 ** -20))).toBe(-(1 + 2 ** -10));
    expect(roundToF16(2 ** -25 * 1.5)).toBe(2 ** -24);
    expect([roundToF16(65519), roundToF16(-65520)]).toEqual([65504, -Infinity]);
  });
});

describe('linear pieces', () => {
  test('matvec and bias', () => {
    expect([...matvec(Float32Array.of(1, 2, 3, 4, 5, 6), Float64Array.of(1, 0, -1), Float32Array.of(10, 20))]).toEqual([8, 18]);
  });

  test.each([1, 3, 4, 5, 11])('each of %s rows has the bits of its own sum in order', (rows) => {
    const weights = Float32Array.from({ length: rows * 6 }, (_, i) => Math.sin(i + 1));
    const x = Float64Array.from({ length: 6 }, (_, i) => Math.cos(i) / 3);
    const sums = Array.from({ length: rows }, (_, row) => x.reduce((sum, value, col) => sum + weights[row * 6 + col] * value, 0));
    expect([...matvec(weights, x)]).toEqual(sums);
  });

  test('rms norm of (3, 4) with weights (1, 2)', () => {
    const out = rmsNorm(Float64Array.of(3, 4), Float32Array.of(1, 2), 0.5);
    expect(out[0]).toBeCloseTo(3 / Math.sqrt(13), 15);
    expect(out[1]).toBeCloseTo(8 / Math.sqrt(13), 15);
  });

  test('swiglu: silu(0) is 0, silu(ln 3) is ln 3 · 3/4', () => {
    const out = swiglu(Float64Array.of(0, Math.log(3)), Float64Array.of(5, 2));
    expect(out[0]).toBe(0);
    expect(out[1]).toBeCloseTo(1.5 * Math.log(3), 15);
  });

  test('clamped swiglu: the gate is held below 7, up within 7 of 0; up counts one more', () => {
    const out = clampedSwiglu(Float64Array.of(Math.log(3) / 1.702, 100, 7, -2, 0), Float64Array.of(1, 100, 7, -100, 3));
    expect(out[0]).toBeCloseTo((1.5 * Math.log(3)) / 1.702, 14);
    expect(out[1]).toBe(out[2]);
    expect(out[3]).toBeCloseTo((-2 / (1 + Math.exp(3.404))) * -6, 14);
    expect(out[4]).toBe(0);
  });

  test('expert outputs, shared expert and residual', () => {
    const out = mixExperts(
      [Float64Array.of(1, 2), Float64Array.of(10, 20)],
      Float64Array.of(0.5, 0.25),
      Float64Array.of(100, 200),
      {
        output: Float64Array.of(4, 8),
        weight: 0.5,
      },
    );
    expect([...out]).toEqual([105, 210]);
  });
});

describe('rope', () => {
  const rope = { dims: 4, base: 10000, scale: 1 } as const;

  test('interleaved turns (0, 1) and (2, 3); halves turns (0, 2) and (1, 3); the rest stays', () => {
    const frequencies = ropeInverseFrequencies({ ...rope, pairing: 'halves' });
    expect([...frequencies]).toEqual([1, 0.01]);
    const interleaved = Float64Array.of(1, 0, 1, 0, 7);
    ropeInPlace(interleaved, 3, 'interleaved', frequencies);
    expect([...interleaved]).toEqual([Math.cos(3), Math.sin(3), Math.cos(0.03), Math.sin(0.03), 7]);
    const halves = Float64Array.of(1, 1, 0, 0, 7);
    ropeInPlace(halves, 3, 'halves', frequencies);
    expect([...halves]).toEqual([Math.cos(3), Math.cos(0.03), Math.sin(3), Math.sin(0.03), 7]);
  });

  test('scale multiplies and factors divide the angle', () => {
    const frequencies = ropeInverseFrequencies({ ...rope, scale: 0.5, pairing: 'halves' }, Float32Array.of(1, 8));
    expect([...frequencies]).toEqual([0.5, 0.01 / 16]);
  });

  test('YaRN keeps fast pairs, scales slow ones, mixes between: those of gpt-oss', () => {
    const yarn = { originalContextTokens: 4096, fastTurns: 32, slowTurns: 1 };
    const numbers = { pairing: 'halves', dims: 64, base: 150000, scale: 1 / 32 } as const;
    const own = ropeInverseFrequencies({ ...numbers, scale: 1 });
    const shares = ropeInverseFrequencies({ ...numbers, yarn }).map((frequency, i) => frequency / own[i]);
    // 64 · ln(4096 / (32 · 2π)) / (2 · ln 150000) = 8.09, and 17.4 for one turn: a ramp from 8 to 18.
    expect(shares.findIndex((share) => share < 1)).toBe(9);
    expect(shares[13]).toBeCloseTo(0.5 + 0.5 / 32, 12);
    expect([...shares.subarray(18)].every((share) => Math.abs(share - 1 / 32) < 1e-12)).toBe(true);
    expect(shares[17]).toBeGreaterThan(1 / 32 + 0.05);
  });
});

describe('attention', () => {
  test('splits combine to the whole, and equal scores give the mean of the values', () => {
    const shape = { nHeads: 4, nKvHeads: 2, headWidth: 2, contextTokens: 8, scale: 0.7 };
    const numbers = (n: number, seed: number) => Float64Array.from({ length: n }, (_, i) => drawUnit(seed, i) * 4 - 2);
    const [query, keys, values] = [numbers(8, 1), numbers(32, 2), numbers(32, 3)];
    const whole = combinePartials([attendRange(query, keys, values, 0, 7, shape)], 2);
    const parts = [
      attendRange(query, keys, values, 0, 3, shape),
      attendRange(query, keys, values, 3, 3, shape),
      attendRange(query, keys, values, 3, 7, shape),
    ];
    combinePartials(parts, 2).forEach((value, i) => expect(value).toBeCloseTo(whole[i], 14));
    const mean = combinePartials([attendRange(new Float64Array(8), keys, values, 0, 2, shape)], 2);
    expect(mean[0]).toBeCloseTo((values[0] + values[2]) / 2, 14); // head 0 reads kv head 0
    expect(mean[6]).toBeCloseTo((values[16] + values[18]) / 2, 14); // head 3 reads kv head 1
  });
});

describe('sinks and windows', () => {
  test('a sink joins one range: as a position of the same score whose value is zero', () => {
    const shape = { nHeads: 1, nKvHeads: 1, headWidth: 1, contextTokens: 3, scale: 1 };
    const [query, keys, values] = [Float64Array.of(1), Float64Array.of(0.5, 2, -1), Float64Array.of(3, 4, 0)];
    const whole = combinePartials([attendRange(query, keys, values, 0, 3, shape)], 1);
    const sinks = Float32Array.of(-1);
    const split = [attendRange(query, keys, values, 0, 1, shape), attendRange(query, keys, values, 1, 2, shape, sinks)];
    expect(combinePartials(split, 1)[0]).toBeCloseTo(whole[0], 14);
    const above = attendRange(query, keys, values, 0, 2, shape, Float32Array.of(90));
    expect([above.max[0], above.sum[0]]).toEqual([90, 1]);
  });

  test('a window of n holds the position and n − 1 before it', () => {
    expect([0, 3, 4, 9].map((position) => firstSeen(position, 4))).toEqual([0, 0, 1, 6]);
    expect(firstSeen(1e6)).toBe(0);
  });
});

describe('routing', () => {
  test('ties go to the lower id; normalised weights add to the scale', () => {
    const routing = routeTopK(Float64Array.of(0, 2, 1, 2), { nExpertsUsed: 3, normalise: true, weightScale: 2 });
    expect([...routing.ids]).toEqual([1, 3, 2]);
    expect(routing.weights[0]).toBeCloseTo((2 * Math.E) / (2 * Math.E + 1), 14);
    expect(routing.weights.reduce((a, b) => a + b, 0)).toBeCloseTo(2, 14);
  });

  test('without normalising the weights are the probabilities of all experts', () => {
    const routing = routeTopK(Float64Array.of(0, Math.log(3)), { nExpertsUsed: 1, normalise: false, weightScale: 1 });
    expect(routing.weights[0]).toBeCloseTo(0.75, 14);
  });

  test.each<[string, number[], number, number, number[], number[], number[]]>([
    // what, logits, K, margin, experts with a slot → chosen by rank, ranks that stand in for others
    ['all have slots', [3, 2, 1, 0], 2, 1, [0, 1, 2, 3], [0, 1], []],
    ['the K-th best has none, the next is within', [3, 2, 1.5, 0], 2, 0.75, [0, 2], [0, 2], [1]],
    ['the next is not within', [3, 2, 1, 0], 2, 0.75, [0, 2], [0, 1], []],
    ['equal standings: the lower id', [3, 2, 1.5, 0], 2, 0.5, [0, 2], [0, 1], []],
    ['the best may be replaced too', [3, 2.5, 2.25, 0], 2, 1, [1, 2], [1, 2], [1]],
    ['one substitute for the least of two absent ones', [3, 2, 1.5, 1], 2, 0.75, [2], [0, 2], [1]],
    ['nobody has a slot', [3, 2, 1, 0], 2, 9, [], [0, 1], []],
    ['K = E', [1, 2], 2, 9, [0], [0, 1], []],
  ])('cache-aware: %s', (_what, logits, nExpertsUsed, margin, slots, ids, substitutes) => {
    const hasSlot = (expert: number) => slots.includes(expert);
    const gating = { nExpertsUsed, normalise: false, weightScale: 1 };
    const routing = routeTopK(Float32Array.from(logits), gating, { margin, hasSlot });
    expect([...routing.ids]).toEqual(ids);
    expect(routing.isSubstitute.flatMap((is, rank) => (is ? [rank] : []))).toEqual(substitutes);
    expect([...routing.weights]).toEqual(ids.map((id) => softmax(Float32Array.from(logits))[id]));
  });

  test('softmax survives large logits', () => {
    expect([...softmax(Float64Array.of(1000, 1000))]).toEqual([0.5, 0.5]);
    expect([...topIndices(Float64Array.of(1, 5, 5), 2)]).toEqual([1, 2]);
  });

  test('experts-sort is stable and keeps every pair', () => {
    const sorted = expertsSortRef([2, 0, 2, 1, 0, 2], 4);
    expect([...sorted.counts]).toEqual([2, 1, 3, 0]);
    expect([...sorted.offsets]).toEqual([0, 2, 3, 6, 6]);
    expect([...sorted.pairs]).toEqual([1, 4, 3, 0, 2, 5]);
  });
});

describe('random and sampling', () => {
  test('the mixer is MurmurHash3 fmix32', () => {
    // Values of the published finaliser: fmix32(0) = 0, fmix32(1) = 0x514E28B7, fmix32(0xFFFFFFFF) = 0x81F16F39.
    expect([mixU32(0), mixU32(1), mixU32(0xffffffff)]).toEqual([0, 0x514e28b7, 0x81f16f39]);
  });

  test('draws are uniform over positions and over seeds (chi-square of 16 bins, 65536 draws, 99.99 % bound 44.3)', () => {
    for (const draw of [(i: number) => drawU32(7, i), (i: number) => drawU32(i, 7)]) {
      const bins = new Uint32Array(16);
      for (let i = 0; i < 65536; i++) bins[draw(i) >>> 28]++;
      expect(bins.reduce((sum, count) => sum + (count - 4096) ** 2 / 4096, 0)).toBeLessThan(44.3);
    }
  });

  const logits = Float64Array.from([0.5, 0.2, 0.2, 0.1], Math.log);
  const off = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: 3 };

  test('each filter removes what it says', () => {
    const ids = (change: Partial<typeof off>) => [...sampleCandidatesRef(logits, { ...off, ...change }).ids];
    expect(ids({})).toEqual([0, 1, 2, 3]);
    expect(ids({ topK: 2 })).toEqual([0, 1]);
    expect(ids({ topP: 0.6 })).toEqual([0, 1]);
    expect(ids({ topP: 0.4 })).toEqual([0]);
    expect(ids({ minP: 0.3 })).toEqual([0, 1, 2]);
    expect(ids({ minP: 0.3, temperature: 0.5 })).toEqual([0]); // 0.16 of the first's probability at this temperature
    expect(sampleCandidatesRef(logits, { ...off, topK: 2 }).probabilities[0]).toBeCloseTo(0.5, 14);
  });

  test('frequencies follow the renormalised candidates; temperature 0 is greedy', () => {
    const counts = new Uint32Array(4);
    for (let position = 0; position < 20000; position++) counts[sampleRef(logits, { ...off, topK: 2 }, position)]++;
    expect(counts[2] + counts[3]).toBe(0);
    expect(Math.abs(counts[0] / 20000 - 5 / 7)).toBeLessThan(0.015); // 4.7 standard deviations
    expect(sampleRef(logits, { ...off, temperature: 0 }, 1)).toBe(0);
  });
});
