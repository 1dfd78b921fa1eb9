/** The probes on a real device: figures in a sane range, everything given back. Which figures is the machine's business. */
import { afterAll, expect, test } from 'vitest';
import { openTestDevice } from '../../tests/gpu/node-gpu.ts';
import { measureLinks } from './probe-links.ts';
import { probeFreeBytes } from './probe-memory.ts';

const MIB = 2 ** 20;
const gpu = await openTestDevice({ portableLimits: true });
afterAll(() => gpu?.dispose());

test.runIf(gpu)('free memory: up to the wish in pieces below the buffer limit, and none is kept', async () => {
  expect(await probeFreeBytes(gpu!, 700 * MIB)).toBe(688 * MIB); // whole pieces of 16 MiB: 43 of them
  expect(await probeFreeBytes(gpu!, 15 * MIB)).toBe(0);
  expect(gpu!.buffers.totalBytes).toBe(0);
});

test.runIf(gpu)('a device that refuses above 300 MiB is found to have between 284 and 300', async () => {
  let heldBytes = 0;
  const { device } = gpu!;
  const errors: (GPUError | null)[] = [];
  const full = {
    pushErrorScope: () => errors.push(null),
    popErrorScope: () => Promise.resolve(errors.pop()),
    createBuffer({ size }: { size: number }) {
      if (heldBytes + size > 300 * MIB) errors[errors.length - 2] = { message: 'full' } as GPUError;
      else heldBytes += size;
      const own = heldBytes;
      return { destroy: () => void (heldBytes = Math.min(heldBytes, own)) };
    },
  };
  const fake = { ...gpu!, capabilities: gpu!.capabilities, device: full, idle: () => gpu!.idle() };
  const freeBytes = await probeFreeBytes(fake as unknown as typeof gpu & object, 4096 * MIB);
  expect(freeBytes).toBeLessThanOrEqual(300 * MIB);
  expect(freeBytes).toBeGreaterThan(284 * MIB);
  expect(device).toBeDefined();
});

test.runIf(gpu)('links: every rate is positive, and nothing stays allocated', async () => {
  const rates = await measureLinks(gpu!, 'Q4_0');
  console.log(gpu!.capabilities.description, JSON.stringify(rates));
  for (const [name, rate] of Object.entries(rates)) {
    expect(Number.isFinite(rate), name).toBe(true);
    expect(rate, name).toBeGreaterThan(0);
  }
  expect(gpu!.buffers.totalBytes).toBe(0);
});
