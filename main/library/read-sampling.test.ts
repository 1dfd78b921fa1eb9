import { expect, test } from 'vitest';
import { numberArray } from '../../gpu/gguf/array.ts';
import type { GgufValue } from '../../gpu/gguf/types.ts';
import { NOTHING_NAMED } from '../contract/sampling.ts';
import { readSampling } from './read-sampling.ts';

const read = (values: Readonly<Record<string, GgufValue>>) =>
  readSampling({ metadata: new Map(Object.entries(values).map(([key, value]) => [`general.sampling.${key}`, value])) });

test('names what the file names, as its maker wrote it', () => {
  const f32 = { temp: Math.fround(0.7), top_p: Math.fround(0.95), min_p: Math.fround(1e-3) };
  expect(read({ ...f32, top_k: 20 })).toEqual({ named: { temperature: 0.7, topK: 20, topP: 0.95, minP: 0.001 }, notes: [] });
  expect(read({ temp: 0.123456789, top_p: 1 }).named).toEqual({ ...NOTHING_NAMED, temperature: 0.123456789, topP: 1 });
  expect(read({ temp: 0, min_p: 0 }).named).toEqual({ ...NOTHING_NAMED, temperature: 0, minP: 0 });
  expect(read({})).toEqual({ named: NOTHING_NAMED, notes: [] });
});

test('a top-k below zero is off', () => {
  for (const value of [0, -1, -40]) expect(read({ top_k: value })).toEqual({ named: { ...NOTHING_NAMED, topK: 0 }, notes: [] });
});

test.each([
  ['temp', -0.1, '-0.1'],
  ['temp', 11, '11'],
  ['temp', NaN, 'NaN'],
  ['temp', Infinity, 'Infinity'],
  ['temp', '0.7', '"0.7"'],
  ['temp', true, 'true'],
  ['top_k', 257, '257'],
  ['top_k', 2.5, '2.5'],
  ['top_k', 2n ** 63n, '9223372036854775808'],
  ['top_p', 0, '0'],
  ['top_p', 1.1, '1.1'],
  ['min_p', 1, '1'],
  ['min_p', numberArray('FLOAT32', [1, 2]), 'a list of 2 values'],
] as const)('%s = %s is not used, and a note says so', (key, value, shown) => {
  const { named, notes } = read({ [key]: value, ...(key === 'temp' ? { top_k: 3 } : { temp: 1 }) });
  expect(named).toEqual({ ...NOTHING_NAMED, ...(key === 'temp' ? { topK: 3 } : { temperature: 1 }) });
  expect(notes).toEqual([expect.stringContaining(`The file's general.sampling.${key} is ${shown}, which is not used:`)]);
});

test('a note stays short whatever the file holds', () => {
  expect(read({ temp: 'x'.repeat(1e6) }).notes[0].length).toBeLessThan(150);
});
