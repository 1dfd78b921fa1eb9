/** What every prefill program must keep to, read from the case tables: bindings as declared, few storage buffers, one name. */
import { expect, test } from 'vitest';
import type { readCapabilities } from '../device/capabilities.ts';
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

test('every program declares the bindings that its WGSL has, at most 8 of them storage', () => {
  for (const { name, make } of prefillCases) {
    const { program, bindings } = make(LEAST);
    expect(name.startsWith(`${program.name}: `), name).toBe(true);
    expect(bindings.length, name).toBe(program.bindings.length);
    const declared = [...program.code.matchAll(/@binding\((\d+)\) var<([^>]+)>/g)];
    expect(
      declared.map(([, index, access]) => [Number(index), access]).sort(([a], [b]) => Number(a) - Number(b)),
      name,
    ).toEqual(program.bindings.map((kind, i) => [i, ACCESS[kind]]));
    expect(program.bindings.filter((kind) => kind !== 'uniform').length, name).toBeLessThanOrEqual(8);
  }
});

test('no prefill program needs an extension', () => {
  for (const { name, make } of prefillCases) expect(make(LEAST).program.code, name).not.toMatch(/^enable |^requires /m);
});
