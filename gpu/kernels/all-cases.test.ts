/** What every program must keep to, read from the case tables: bindings as declared, few storage buffers, no kernel without cases. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { readCapabilities } from '../device/capabilities.ts';
import { allCases } from './all-cases.ts';
import { prefillCases } from './prefill-cases.ts';

type Capabilities = ReturnType<typeof readCapabilities>;
/** The least that WebGPU promises. */
const LEAST: Capabilities = {
  subgroupMinSize: 0,
  subgroupMaxSize: 0,
  shaderF16: false,
  maxStorageBindingBytes: 128 * 2 ** 20,
  maxBufferBytes: 256 * 2 ** 20,
  maxInvocationsPerWorkgroup: 256,
  maxWorkgroupStorageBytes: 16384,
  languageFeatures: new Set(),
  software: true,
  description: 'least',
};

const ACCESS = { uniform: 'uniform', read: 'storage, read', 'read-write': 'storage, read_write' } as const;

const SUBGROUPS: Capabilities = { ...LEAST, subgroupMinSize: 8, subgroupMaxSize: 32, software: false };

const runsWith = (capabilities: Capabilities) => allCases.map(({ name, make }) => ({ name, ...make(capabilities) }));
const RUNS = { least: runsWith(LEAST), subgroups: runsWith(SUBGROUPS) };

test.each(['least', 'subgroups'] as const)(
  '%s: every program declares the bindings that its WGSL has, at most 8 of them storage',
  (capabilities) => {
    for (const { name, program, bindings, grid } of RUNS[capabilities]) {
      expect(Math.max(...grid), name).toBeLessThanOrEqual(65535);
      expect(name.startsWith(`${program.name}: `), name).toBe(true);
      expect(bindings.length, name).toBe(program.bindings.length);
      const declared = [...program.code.matchAll(/@binding\((\d+)\) var<([^>]+)>/g)];
      expect(
        declared.map(([, index, access]) => [Number(index), access]).sort(([a], [b]) => Number(a) - Number(b)),
        name,
      ).toEqual(program.bindings.map((kind, i) => [i, ACCESS[kind]]));
      expect(program.bindings.filter((kind) => kind !== 'uniform').length, name).toBeLessThanOrEqual(8);
    }
  },
);

test('every kernel has cases', () => {
  const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && readdirSync(path.join(import.meta.dirname, entry.name)).includes(`${entry.name}.wgsl`),
  );
  const tested = new Set(allCases.map(({ name }) => name.split(':')[0]));
  expect(folders.map(({ name }) => name).filter((name) => !tested.has(name))).toEqual([]);
  expect(tested.size).toBe(folders.length);
});

test('names of cases are different', () => {
  const names = allCases.map(({ name }) => name);
  expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
});

test('without subgroups no program needs an extension', () => {
  for (const { name, program } of RUNS.least) expect(program.code, name).not.toMatch(/^enable |^requires |^diagnostic/m);
});

test('no prefill program needs an extension', () => {
  const ofPrefill = new Set(prefillCases.map(({ name }) => name));
  for (const { name, program } of RUNS.subgroups)
    if (ofPrefill.has(name)) expect(program.code, name).not.toMatch(/^enable |^requires /m);
});
