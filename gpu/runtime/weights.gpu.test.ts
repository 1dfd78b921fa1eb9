/** What the streaming loader puts on the device, byte for byte beside the plain builder of the tests, for every architecture and type. */
import { afterAll, expect, test } from 'vitest';
import { TINY_ARCHITECTURES, tinyModel } from '../../tests/fixtures/tiny-model.ts';
import { testPlanContext } from '../../tests/gpu/model-buffers.ts';
import { openTestDevice } from '../../tests/gpu/node-gpu.ts';
import { readModel } from '../architectures/read-model.ts';
import type { BufferRange } from '../device/types.ts';
import { BufferUsage, MapMode } from '../device/usage.ts';
import { memorySource } from '../gguf/memory-source.ts';
import { openGguf } from '../gguf/read.ts';
import { COMPUTE_TYPES } from '../quant/types.ts';
import type { LayerBuffers, MatrixBuffer, ModelBuffers } from './buffers.ts';
import { loadModelBuffers } from './weights.ts';

const gpu = await openTestDevice({ portableLimits: true });
afterAll(() => gpu.dispose());

async function model(options: Parameters<typeof tinyModel>[0]) {
  return readModel(await openGguf(memorySource('tiny.gguf', tinyModel(options))));
}

async function bytes({ buffer, offsetBytes, sizeBytes }: BufferRange): Promise<Uint8Array> {
  const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
  const staging = await gpu.buffers.allocate({ label: 'read', sizeBytes, usage, account: 'staging' });
  const encoder = gpu.device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, offsetBytes, staging, 0, sizeBytes);
  gpu.device.queue.submit([encoder.finish()]);
  await staging.mapAsync(MapMode.READ);
  const copy = new Uint8Array(staging.getMappedRange().slice(0));
  gpu.buffers.release(staging);
  return copy;
}

const matrixRanges = (matrix: MatrixBuffer) => matrix.shards.map(({ range }) => range);

/** Everything but the slot table, which differs between one table per model and the builder's one per layer. */
function ranges(buffers: ModelBuffers): BufferRange[] {
  const ofLayer = ({ vectors, qkv, output, ffn }: LayerBuffers) => [
    vectors.range,
    qkv.range,
    ...matrixRanges(output),
    ...(ffn.kind === 'dense'
      ? [ffn.gateUp.range, ...matrixRanges(ffn.down)]
      : [
          ...matrixRanges(ffn.router),
          ...ffn.slab.shards,
          ...(ffn.shared ? [ffn.shared.up.range, ...matrixRanges(ffn.shared.down)] : []),
        ]),
  ];
  return [...matrixRanges(buffers.embedding), ...matrixRanges(buffers.head), buffers.globals, ...buffers.layers.flatMap(ofLayer)];
}

const cases = [
  ...TINY_ARCHITECTURES.map((architecture) => ({ architecture, type: 'F32' as const })),
  ...COMPUTE_TYPES.map((type) => ({ architecture: 'mixtral' as const, type })),
];
test.each(cases)('$architecture in $type', async ({ architecture, type }) => {
  const spec = await model({ architecture, type, seed: 3 });
  const loaded = await loadModelBuffers(gpu, spec, { contextTokens: 16 });
  const { buffers } = await testPlanContext(gpu, spec, { contextTokens: 16 });
  const [ours, plain] = [ranges(loaded), ranges(buffers)];
  expect(ours.length).toBe(plain.length);
  for (const [i, range] of ours.entries()) {
    const [a, b] = [await bytes(range), await bytes(plain[i])];
    const common = Math.min(a.length, b.length);
    expect(Buffer.compare(a.subarray(0, common), b.subarray(0, common)), range.buffer.label).toBe(0);
    expect(a.subarray(common).every((byte) => byte === 0) && b.subarray(common).every((byte) => byte === 0)).toBe(true);
  }
  const before = gpu.buffers.totalBytes;
  loaded.dispose();
  expect(gpu.buffers.totalBytes).toBeLessThan(before);
});

test('a permutation moves experts and the table says where', async () => {
  const spec = await model({ architecture: 'mixtral', type: 'Q8_0', seed: 3 });
  const identity = await loadModelBuffers(gpu, spec, { contextTokens: 16 });
  const permuted = await loadModelBuffers(gpu, spec, { contextTokens: 16, slotPermutationSeed: 5 });
  for (const [l, { ffn }] of permuted.layers.entries()) {
    const plain = identity.layers[l].ffn;
    if (ffn.kind !== 'moe' || plain.kind !== 'moe') throw new Error('mixtral has MoE layers');
    const { slab } = ffn;
    const table = new Uint32Array((await bytes(slab.table)).buffer);
    const [moved, still] = [await bytes(slab.shards[0]), await bytes(plain.slab.shards[0])];
    const nExperts = slab.slotsPerShard;
    const slots = Array.from({ length: nExperts }, (_, expert) => table[slab.tableOffset + expert]);
    expect([...slots].sort((a, b) => a - b)).toEqual(Array.from({ length: nExperts }, (_, i) => i));
    slots.forEach((slot, expert) => {
      const stride = slab.slotStrideBytes;
      expect(
        Buffer.compare(
          moved.subarray(slot * stride, (slot + 1) * stride),
          still.subarray(expert * stride, (expert + 1) * stride),
        ),
      ).toBe(0);
    });
  }
  identity.dispose();
  permuted.dispose();
});

test('a failing read releases everything', async () => {
  const data = tinyModel({ architecture: 'mixtral', type: 'Q8_0', seed: 3 });
  const file = await openGguf(memorySource('tiny.gguf', data));
  const spec = readModel(file);
  const before = gpu.buffers.totalBytes;
  const abort = new AbortController();
  const loading = loadModelBuffers(gpu, spec, { contextTokens: 16, signal: abort.signal, onProgress: () => abort.abort() });
  await expect(loading).rejects.toThrow();
  expect(gpu.buffers.totalBytes).toBe(before);
});
