/** A profile is read back as written; newer tokens outweigh older ones; what is damaged is refused. */
import { describe, expect, test } from 'vitest';
import { addToProfile, emptyProfile, parseProfile, PROFILE_HALF_LIFE_TOKENS, serialiseProfile } from './profile.ts';

const PROFILE = addToProfile(emptyProfile('sha256:größe', 2, 4), {
  counts: [
    [5, 0, 1, 2],
    [0, 8, 0, 0],
  ],
  usesByDepth: [9, 4, 2, 1],
  tokens: 4,
});

test('a profile is read back as it was written, also from the middle of a buffer', () => {
  const bytes = serialiseProfile(PROFILE);
  expect(parseProfile(bytes)).toEqual(PROFILE);
  const around = new Uint8Array(bytes.length + 10);
  around.set(bytes, 3);
  expect(parseProfile(around.subarray(3, 3 + bytes.length))).toEqual(PROFILE);
});

test('a profile of 48 layers of 128 experts is small', () => {
  expect(serialiseProfile(emptyProfile('x', 48, 128)).length).toBeLessThan(26_000);
});

test('old counts fade by half over a half-life, new ones are added whole', () => {
  const later = addToProfile(PROFILE, {
    counts: [
      [0, 0, 0, 3],
      [0, 0, 0, 0],
    ],
    usesByDepth: [1, 0, 0, 2],
    tokens: PROFILE_HALF_LIFE_TOKENS,
  });
  expect([...later.usesByDepth]).toEqual([5.5, 2, 1, 2.5]);
  expect([...later.counts[0]]).toEqual([2.5, 0, 0.5, 4]);
  expect([...later.counts[1]]).toEqual([0, 4, 0, 0]);
  expect(later.tokens).toBe(PROFILE_HALF_LIFE_TOKENS + 2);
  expect([...PROFILE.counts[0]]).toEqual([5, 0, 1, 2]);
});

test('counts of another shape are a bug of the caller', () => {
  const add = (counts: number[][], usesByDepth: number[]) => () => addToProfile(PROFILE, { counts, usesByDepth, tokens: 1 });
  const [four, three] = [
    [1, 2, 3, 4],
    [1, 2, 3],
  ];
  for (const wrong of [add([four], four), add([three, three], four), add([four, four], three)])
    expect(wrong).toThrow(/one per layer and expert/);
});

describe('refused as profile.damaged', () => {
  const edited = (change: (view: DataView, bytes: Uint8Array) => void, sign = true) => {
    const bytes = serialiseProfile(PROFILE);
    change(new DataView(bytes.buffer), bytes);
    if (sign) {
      let hash = 0x811c9dc5;
      for (const byte of bytes.subarray(0, -4)) hash = Math.imul(hash ^ byte, 0x01000193);
      new DataView(bytes.buffer).setUint32(bytes.length - 4, hash >>> 0, true);
    }
    return bytes;
  };
  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /0 bytes/],
    ['half', serialiseProfile(PROFILE).subarray(0, 50), /50 bytes, but should have/],
    ['more', new Uint8Array([...serialiseProfile(PROFILE), 0]), /but should have/],
    ['another file', edited((_, bytes) => bytes.fill(65, 0, 8)), /not a routing profile/],
    ['a newer version', edited((view) => view.setUint32(8, 3, true)), /version is 3/],
    ['no layers', edited((view) => view.setUint32(12, 0, true)), /0 layers/],
    ['a huge expert count', edited((view) => view.setUint32(16, 2 ** 31, true)), /2147483648 experts/],
    ['a huge name', edited((view) => view.setUint32(20, 2 ** 31, true)), /name of 2147483648 bytes/],
    ['one bit', edited((_, bytes) => (bytes[60] ^= 1), false), /checksum/],
    ['impossible tokens', edited((view) => view.setFloat64(24, NaN, true)), /NaN tokens/],
    ['a negative count', edited((view, bytes) => view.setFloat32(bytes.length - 8, -1, true)), /row 2 has a count of -1/],
    ['a count that is no number', edited((view, bytes) => view.setFloat32(bytes.length - 8, NaN, true)), /count of NaN/],
    ['a name that is not UTF-8', edited((_, bytes) => (bytes[32] = 0xff)), /not UTF-8/],
  ])('%s', (_, bytes, message) => {
    expect(() => parseProfile(bytes)).toThrow(
      expect.objectContaining({ code: 'profile.damaged', message: expect.stringMatching(message) }),
    );
  });
});
