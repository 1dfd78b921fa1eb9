/** Which variant a device gets, and how work is spread over it. */
import { expect, test } from 'vitest';
import type { DeviceCapabilities } from '../device/types.ts';
import { composeLanes, laneGrid, laneVariant, MAX_WORKGROUPS, rowUnits } from './lanes.ts';

const capabilities = (subgroupMinSize: number, subgroupMaxSize: number, software = false): DeviceCapabilities => ({
  subgroupMinSize,
  subgroupMaxSize,
  shaderF16: false,
  maxStorageBindingBytes: 128 * 2 ** 20,
  maxBufferBytes: 256 * 2 ** 20,
  maxInvocationsPerWorkgroup: 256,
  maxWorkgroupStorageBytes: 16384,
  languageFeatures: new Set(),
  software,
  description: 'test',
});

test('without subgroups a worker is an invocation', () => {
  expect(laneVariant(capabilities(0, 0))).toEqual({ kind: 'plain', workgroupSize: 64, workersPerGroup: 64, minLanes: 1 });
});

test.each([
  ['4', 4, 4],
  ['32', 32, 32],
  ['8 to 32', 8, 32],
  ['32 to 64', 32, 64],
  ['128', 128, 128],
])('subgroups of %s: whole subgroups, workers counted for the largest', (_, min, max) => {
  const variant = laneVariant(capabilities(min, max));
  expect(variant).toMatchObject({ kind: 'subgroup', minLanes: min });
  expect(variant.workgroupSize % max).toBe(0);
  expect(variant.workgroupSize).toBeLessThanOrEqual(256);
  expect(variant.workersPerGroup * max).toBe(variant.workgroupSize);
});

test('a software adapter gets the plain variant whatever it has', () => {
  expect(laneVariant(capabilities(8, 8, true)).kind).toBe('plain');
});

test('grids cover small work and stop at the limit', () => {
  const variant = laneVariant(capabilities(32, 32));
  expect(laneGrid(variant, 1)).toBe(1);
  expect(laneGrid(variant, variant.workersPerGroup + 1)).toBe(2);
  expect(laneGrid(variant, 1e6)).toBe(MAX_WORKGROUPS);
  expect(laneGrid(variant, 1e6, 10)).toBe(10);
});

test('only the subgroup variant enables anything, and directives come first', () => {
  const parts = { name: 'x', body: 'fn run(lanes: Lanes, group_y: u32) {}', bindings: [] };
  const plain = composeLanes(laneVariant(capabilities(0, 0)), parts).code;
  const subgroup = composeLanes(laneVariant(capabilities(32, 32)), parts).code;
  expect(plain).not.toMatch(/enable|diagnostic|subgroupAdd/);
  expect(subgroup.split('\n').slice(0, 2).join('\n')).toMatch(/^enable subgroups;\ndiagnostic\(off, subgroup_uniformity\);/);
});

test('rows are whole units', () => {
  expect(rowUnits(96)).toBe(3);
  expect(() => rowUnits(80)).toThrow('units of 32');
});
