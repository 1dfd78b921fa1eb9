/** What goes wrong on a real device: shaders, limits, loss; and the ledger. */
import { afterEach, describe, expect, test } from 'vitest';
import { openTestDevice } from '../../tests/gpu/node-gpu.ts';
import { composeProgram } from './compose.ts';
import type { GpuDevice } from './open-device.ts';
import { BufferUsage, MapMode } from './usage.ts';

const probe = await openTestDevice();
probe?.dispose();

let gpu: GpuDevice;
afterEach(() => gpu.dispose());

const request = (label: string, sizeBytes: number) => ({ label, sizeBytes, usage: BufferUsage.STORAGE, account: 'kv' as const });

describe.skipIf(!probe)('device', () => {
  test('a shader that does not compile says where and shows the WGSL', async () => {
    gpu = (await openTestDevice())!;
    const body = '@compute @workgroup_size(1)\nfn main() {\n  let x: u32 = 1.5f;\n}';
    const broken = composeProgram({ name: 'broken', body, bindings: [] });
    const fine = composeProgram({ name: 'fine', body: '@compute @workgroup_size(1)\nfn main() {}', bindings: [] });
    await expect(gpu.createPipelines([fine, broken])).rejects.toMatchObject({
      code: 'gpu.shader',
      message: expect.stringMatching(/broken:3:\d+ .*[\s\S]* {3}3 {3}let x: u32 = 1\.5f;/),
      details: { kernel: 'broken', wgsl: broken.code },
    });
    expect(gpu.bind({ program: fine, ranges: [], grid: [1, 1, 1] }).name).toBe('fine');
  });

  test('bindings that the program does not have are a shader error, not a lost device', async () => {
    gpu = (await openTestDevice())!;
    const body =
      '@group(0) @binding(0) var<storage, read_write> a: array<u32>;\n@compute @workgroup_size(1)\nfn main() { a[0] = 1u; }';
    await expect(gpu.createPipelines([composeProgram({ name: 'x', body, bindings: ['read'] })])).rejects.toMatchObject({
      code: 'gpu.shader',
    });
  });

  test('programs with one key are compiled once', async () => {
    gpu = (await openTestDevice())!;
    const program = () => composeProgram({ name: 'same', body: '@compute @workgroup_size(1)\nfn main() {}', bindings: [] });
    const progress: [number, number][] = [];
    await gpu.createPipelines([program(), program()], (done, total) => progress.push([done, total]));
    expect(progress).toEqual([[1, 1]]);
  });

  test('the ledger follows every buffer; a buffer above the limit is refused with numbers, all or nothing', async () => {
    gpu = (await openTestDevice())!;
    const [a] = await gpu.buffers.allocateAll([request('a', 100), request('b', 32)]);
    expect(gpu.buffers.ledger()).toMatchObject({ kvBytes: 112 + 32, totalBytes: 144, peakBytes: 144 });
    gpu.buffers.release(a);
    expect(gpu.buffers.ledger()).toMatchObject({ kvBytes: 32, totalBytes: 32, peakBytes: 144 });
    expect(() => gpu.buffers.release(a)).toThrow('not held');
    const allowedBytes = gpu.device.limits.maxBufferSize;
    await expect(gpu.buffers.allocateAll([request('c', 16), request('huge', allowedBytes + 4)])).rejects.toMatchObject({
      code: 'gpu.limits',
      details: { label: 'huge', neededBytes: allowedBytes + 4, allowedBytes },
    });
    expect(gpu.buffers.totalBytes).toBe(32);
  });

  test('a lost device is a typed error for whoever waits, now and later', async () => {
    gpu = (await openTestDevice())!;
    const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
    const read = await gpu.buffers.allocate({ ...request('read', 64), usage });
    const waiting = gpu.orLost(read.mapAsync(MapMode.READ));
    gpu.device.destroy(); // as if from outside: dispose would not tell
    await expect(waiting.then(() => gpu.idle())).rejects.toMatchObject({ code: 'gpu.device-lost' });
    expect((await gpu.lost).code).toBe('gpu.device-lost');
    await expect(gpu.idle()).rejects.toMatchObject({ code: 'gpu.device-lost' });
  });

  test('disposing of a device is not a loss', async () => {
    gpu = (await openTestDevice())!;
    const other = (await openTestDevice())!;
    let told = false;
    void other.lost.then(() => (told = true));
    other.dispose();
    await other.device.lost;
    await gpu.idle();
    expect(told).toBe(false);
  });

  test('portable limits hold whatever the adapter offers', async () => {
    gpu = (await openTestDevice({ portableLimits: true }))!;
    const { limits } = gpu.device;
    expect(limits.maxStorageBuffersPerShaderStage).toBe(8);
    expect(limits.maxStorageBufferBindingSize).toBe(128 * 2 ** 20);
    expect(limits.minStorageBufferOffsetAlignment).toBe(256);
  });
});
