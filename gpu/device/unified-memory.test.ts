import { expect, test } from 'vitest';
import { hasUnifiedMemory } from './unified-memory.ts';

const info = (fields: Partial<GPUAdapterInfo> & { type?: string }) =>
  ({ vendor: '', architecture: '', device: '', description: '', ...fields }) as GPUAdapterInfo;

test.each([
  [info({ vendor: 'apple', architecture: 'metal-3' }), true],
  [info({ vendor: 'intel', architecture: 'gen-12lp' }), true],
  [info({ vendor: 'intel', architecture: 'xe-hpg', description: 'Intel(R) Arc(TM) A770 Graphics' }), false],
  [info({ vendor: 'nvidia', architecture: 'ampere' }), false],
  [info({ vendor: 'amd', architecture: 'rdna-3', description: 'AMD Radeon RX 7800 XT' }), false],
  [info({ vendor: 'amd', architecture: 'rdna-3', description: 'AMD Radeon(TM) Graphics' }), true],
  [info({ vendor: 'amd', architecture: 'rdna-3', description: 'AMD Radeon 780M' }), true],
  [info({ vendor: 'qualcomm', architecture: 'adreno-7xx' }), true],
  [info({ vendor: 'amd', type: 'integrated GPU' }), true],
  [info({ vendor: 'intel', architecture: 'gen-9', type: 'discrete GPU' }), false],
])('%o', (adapter, expected) => {
  expect(hasUnifiedMemory(adapter, false)).toBe(expected);
  expect(hasUnifiedMemory(adapter, true)).toBe(true);
});

test('an adapter that says nothing of itself is taken for one that shares memory: that plans smaller', () => {
  expect(hasUnifiedMemory(undefined, false)).toBe(true);
});
