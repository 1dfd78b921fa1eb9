/** Slots after a load hold the planes of their experts, put there by the host or by the GPU; the RAM pool serves the second time. */
import { afterAll, describe, expect, test } from 'vitest';
import { tinyModel } from '../../../tests/fixtures/tiny-model.ts';
import { openTestDevice } from '../../../tests/gpu/node-gpu.ts';
import { readModel } from '../../architectures/read-model.ts';
import { BufferUsage, MapMode } from '../../device/usage.ts';
import { memorySource } from '../../gguf/memory-source.ts';
import { openGguf } from '../../gguf/read.ts';
import { quantFormat } from '../../quant/formats.ts';
import { toPlanes } from '../../quant/planes.ts';
import { slabGeometry } from '../slab-geometry.ts';
import { allocateShards, blocksOf, expertParts, expertSlab, slotPlace } from '../slabs.ts';
import { ExpertLoader } from './expert-loader.ts';
import { ExpertStore, stagedParts } from './expert-store.ts';

const devices = { host: await openTestDevice(), GPU: await openTestDevice({ asHardware: true }) };
afterAll(() => Object.values(devices).forEach((gpu) => gpu?.dispose()));

describe.skipIf(!devices.GPU).each(['host', 'GPU'] as const)('planes made by the %s', (who) => {
  test.each([
    ['Q4_0', 'Q4_0'],
    ['Q8_0', 'Q6_K'],
    ['Q4_K', 'Q6_K'],
    ['Q4_K', 'Q4_K'],
    ['F16', 'Q4_1'],
    ['MXFP4', 'Q8_0'],
    ['Q5_0', 'Q5_1'],
    ['Q3_K', 'Q5_K'],
  ] as const)('%s and %s', async (type, otherType) => {
    const gpu = devices[who]!;
    const source = memorySource('tiny.gguf', tinyModel({ architecture: 'mixtral', type, otherType, seed: 5 }));
    const model = readModel(await openGguf(source));
    const { ffn } = model.layers[0];
    if (ffn.kind !== 'moe') throw new Error('mixtral has experts');
    const geometry = slabGeometry(0, ffn, 4, 8 * 2 ** 20);
    const usage = BufferUsage.STORAGE | BufferUsage.COPY_DST | BufferUsage.COPY_SRC;
    const shards = await allocateShards('slab', geometry, (label, sizeBytes) =>
      gpu.buffers.allocate({ label, sizeBytes, usage, account: 'experts' }),
    );
    const slab = expertSlab(geometry, shards, shards[0], 0);
    const expertBytes = stagedParts({ ffn, expert: 0 }).sizeBytes;
    const store = new ExpertStore(model.file.sources, 8 * expertBytes);
    const loader = await ExpertLoader.create(gpu, store, { slabs: [slab], expertBytes, stagingBytes: 0 });
    const jobs = [6, 1, 7].map((expert, i) => ({ layer: 0, expert, ffn, isScan: false, slab, slot: [2, 0, 3][i] }));
    expect(await loader.load(jobs)).toEqual(['disk', 'disk', 'disk']);
    const moved = jobs.map((job, i) => ({ ...job, slot: [1, 2, 0][i] }));
    expect(await loader.load(moved)).toEqual(['ram', 'ram', 'ram']);
    for (const job of [...moved, jobs[2]]) {
      for (const { slice, part } of expertParts(ffn, job.expert, slab)) {
        const blocks = await source.read(slice.offsetBytes, slice.sizeBytes);
        const planes = toPlanes(quantFormat(part.type), blocks, blocksOf(part));
        const { buffer, offsetBytes } = slotPlace(slab, job.slot);
        const got = await read(buffer, offsetBytes + part.offsetVec4 * 16, planes.length);
        expect(Buffer.compare(got, planes), `expert ${job.expert} in slot ${job.slot}, ${part.type}`).toBe(0);
      }
    }
    loader.dispose();
    for (const { buffer } of shards) gpu.buffers.release(buffer);

    async function read(buffer: GPUBuffer, offsetBytes: number, sizeBytes: number): Promise<Uint8Array> {
      const request = { label: 'read', sizeBytes, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST };
      const target = await gpu.buffers.allocate({ ...request, account: 'staging' });
      const encoder = gpu.device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, offsetBytes, target, 0, sizeBytes);
      gpu.device.queue.submit([encoder.finish()]);
      await target.mapAsync(MapMode.READ);
      const copy = new Uint8Array(target.getMappedRange(0, sizeBytes).slice(0));
      gpu.buffers.release(target);
      return copy;
    }
  });
});
