/** Rows of the KV cache as bytes and back. */
import { describe, expect, test } from 'vitest';
import { CaseRandom } from '../kernels/cases.ts';
import { dequantise, quantise } from './formats.ts';
import { decodeKv, encodeKv, kvLayout, roundKv } from './kv-formats.ts';
import { KV_TYPES } from './kv-types.ts';

const nmse = (got: ArrayLike<number>, want: ArrayLike<number>) => {
  let [error, power] = [0, 0];
  for (let i = 0; i < want.length; i++) [error, power] = [error + (got[i] - want[i]) ** 2, power + want[i] ** 2];
  return error / power;
};

describe.each(KV_TYPES)('%s', (type) => {
  test.each([32, 64, 96, 128])('heads of %i: a row is the same alone and among others', (headWidth) => {
    const rows = new CaseRandom(headWidth).normals(5 * headWidth);
    const decoded = decodeKv(type, headWidth, 5, encodeKv(type, headWidth, rows));
    for (let row = 0; row < 5; row++) {
      const alone = roundKv(type, rows.subarray(row * headWidth, (row + 1) * headWidth));
      expect(decoded.subarray(row * headWidth, (row + 1) * headWidth)).toEqual(alone);
    }
    expect(roundKv(type, decoded.subarray(0, headWidth)), 'rounding twice changes nothing').toEqual(
      decoded.subarray(0, headWidth),
    );
  });

  test('numbers beyond what it holds are held to the greatest', () => {
    const row = new Float32Array(32).fill(1e30);
    const most = { f16: 65504, q8_0: 65504 * 127, f32: Math.fround(1e30) }[type];
    expect(roundKv(type, row)).toEqual(new Float64Array(32).fill(most));
    expect(roundKv(type, new Float32Array(32))).toEqual(new Float64Array(32));
  });

  test('numbers too small for its scale become 0, not NaN', () => {
    expect(roundKv(type, new Float32Array(32).fill(1e-42)).every((x) => Math.abs(x) <= 1e-41)).toBe(true);
  });
});

test('q8_0 rounds as the tensor type does', () => {
  const rows = new CaseRandom(7).normals(640);
  expect([...roundKv('q8_0', rows)]).toEqual([...dequantise('Q8_0', quantise('Q8_0', rows))]);
});

test('what rounding costs', () => {
  const row = new CaseRandom(8).normals(128 * 64);
  expect(nmse(roundKv('f32', row), row)).toBe(0);
  expect(nmse(roundKv('f16', row), row)).toBeLessThan(2 ** -23);
  expect(nmse(roundKv('q8_0', row), row)).toBeLessThan(6e-5); // a 12th of the square of 1/50
  expect(nmse(roundKv('q8_0', row), row)).toBeGreaterThan(1e-5);
});

test('bytes: q8_0 takes 17/32 of f16 where blocks come in pairs; two scales make a word', () => {
  expect(kvLayout('f16', 128, 10)).toEqual({ planes: [{ offsetBytes: 0, rowBytes: 256 }], sizeBytes: 2560 });
  expect(kvLayout('f32', 128, 10).sizeBytes).toBe(5120);
  expect(kvLayout('q8_0', 128, 10)).toEqual({
    planes: [
      { offsetBytes: 0, rowBytes: 128 },
      { offsetBytes: 1280, rowBytes: 8 },
    ],
    sizeBytes: 1360,
  });
  expect(kvLayout('q8_0', 96, 10).planes[1].rowBytes).toBe(8);
  expect(kvLayout('q8_0', 32, 3).sizeBytes).toBe(112); // 3 · (32 + 4), whole vec4
});

test('q8_0 refuses heads that are no whole blocks, by their width', () => {
  for (const headWidth of [16, 80, 112])
    expect(() => kvLayout('q8_0', headWidth, 4)).toThrow(
      expect.objectContaining({ code: 'engine.kv-type', message: expect.stringContaining(String(headWidth)) as string }),
    );
  expect(() => kvLayout('f16', 80, 4)).not.toThrow();
});
