/**
 * Bytes a second from a model file to the GPU, with whatever puts its blocks into planes, beside a plain copy of as many bytes in the same
 * process. The device is at rest at the end of every measurement. Rates are of bytes of the file, in GB/s.
 */
import { readModel } from '../../gpu/architectures/read-model.ts';
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import type { GpuDevice } from '../../gpu/device/open-device.ts';
import { BufferUsage, MapMode } from '../../gpu/device/usage.ts';
import type { GgufFile } from '../../gpu/gguf/types.ts';
import { ExpertLoader, type LoadJob } from '../../gpu/residency/cache/expert-loader.ts';
import { ExpertStore, stagedParts } from '../../gpu/residency/cache/expert-store.ts';
import { slabGeometry } from '../../gpu/residency/slab-geometry.ts';
import { allocateShards, expertSlab, slotPlace } from '../../gpu/residency/slabs.ts';
import { loadModelBuffers } from '../../gpu/runtime/weights.ts';

export interface LoadingRates {
  readonly type: string;
  readonly expertBytes: number;
  readonly nExperts: number;
  /** Experts as a token's misses bring them: from the file (in the page cache, from the second round on), and from the RAM pool. */
  readonly fromFile: readonly number[];
  readonly fromPool: readonly number[];
  /** The whole model, as at its start. */
  readonly resident: readonly number[];
  /** As if experts lay in a file of their own as they lie in slots: one read each, straight into staging, nothing to put into planes. */
  readonly packed: readonly number[];
  readonly copy: readonly number[];
}

export interface LoadingOptions {
  readonly rounds: number;
  readonly stagingBytes: number;
  /** Of `file`, `pool`, `packed`, `resident`; the others are left out. */
  readonly only?: readonly string[];
}

export async function loadingRates(
  gpu: GpuDevice,
  file: GgufFile,
  { rounds, stagingBytes, only }: LoadingOptions,
): Promise<LoadingRates> {
  const model = readModel(file);
  const slots = await testSlots(gpu, model);
  const { jobs, slab, expertBytes, type } = slots;
  const totalBytes = jobs.length * expertBytes;
  const rate = async (bytes: number, work: () => Promise<void>) => {
    const startMs = performance.now();
    await work();
    return bytes / (performance.now() - startMs) / 1e6;
  };
  const [fromFile, fromPool, packed, resident, copy]: number[][] = [[], [], [], [], []];
  const isWanted = (what: string) => only?.includes(what) ?? true;
  for (const [what, poolBytes, rates] of [
    ['file', 0, fromFile],
    ['pool', totalBytes, fromPool],
  ] as const) {
    if (!isWanted(what)) continue;
    const store = new ExpertStore(file.sources, poolBytes);
    const loader = await ExpertLoader.create(gpu, store, { slabs: [slab], expertBytes, stagingBytes });
    const load = async () => {
      await loader.load(jobs);
      await gpu.idle();
    };
    if (poolBytes > 0) await load(); // fills the pool
    for (let round = 0; round < rounds; round++) rates.push(await rate(totalBytes, load));
    loader.dispose();
  }
  if (isWanted('packed')) packed.push(...(await packedRates(gpu, file, slots, stagingBytes, rounds, rate)));
  slots.release();
  for (let round = 0; isWanted('resident') && round < rounds; round++) {
    let release = () => {};
    resident.push(
      await rate(file.sizeBytes, async () => {
        const buffers = await loadModelBuffers(gpu, model, { contextTokens: 16 });
        release = () => buffers.dispose();
      }),
    );
    release();
  }
  const from = new Uint8Array(totalBytes).fill(1); // far above the caches
  const to = new Uint8Array(totalBytes).fill(2);
  for (let round = 0; round < rounds; round++) copy.push(await rate(totalBytes, async () => to.set(from)));
  return { type, expertBytes, nExperts: jobs.length, fromFile, fromPool, packed, resident, copy };
}

async function packedRates(
  gpu: GpuDevice,
  file: GgufFile,
  { jobs, slab, expertBytes }: Awaited<ReturnType<typeof testSlots>>,
  stagingBytes: number,
  rounds: number,
  rate: (bytes: number, work: () => Promise<void>) => Promise<number>,
): Promise<number[]> {
  const count = Math.max(1, Math.min(4, Math.floor(stagingBytes / expertBytes) - 1)); // as ExpertLoader
  const usage = BufferUsage.MAP_WRITE | BufferUsage.COPY_SRC;
  const request = { label: 'staging', sizeBytes: expertBytes, usage, account: 'staging' as const };
  const buffers = await gpu.buffers.allocateAll(Array.from({ length: count }, () => request));
  let next = 0;
  const work = async (buffer: GPUBuffer) => {
    while (next < jobs.length) {
      const i = next++;
      await buffer.mapAsync(MapMode.WRITE);
      const fileOffset = (i * expertBytes) % (file.sources[0].sizeBytes - expertBytes);
      await file.sources[0].readInto(fileOffset, new Uint8Array(buffer.getMappedRange(), 0, expertBytes));
      buffer.unmap();
      const { buffer: shard, offsetBytes } = slotPlace(slab, jobs[i].slot);
      const encoder = gpu.device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, 0, shard, offsetBytes, expertBytes);
      gpu.device.queue.submit([encoder.finish()]);
    }
  };
  const rates: number[] = [];
  for (let round = 0; round < rounds; round++) {
    next = 0;
    rates.push(
      await rate(jobs.length * expertBytes, async () => {
        await Promise.all(buffers.map(work));
        await gpu.idle();
      }),
    );
  }
  for (const buffer of buffers) gpu.buffers.release(buffer);
  return rates;
}

/** A slab with a layer's slots, and the experts of all layers that are alike as jobs for it. */
async function testSlots(gpu: GpuDevice, model: ModelSpec) {
  const moe = model.layers.flatMap(({ index, ffn }) => (ffn.kind === 'moe' ? [{ layer: index, ffn }] : []));
  const [{ ffn: first }] = moe;
  const { nExperts } = first.moe;
  const geometry = slabGeometry(0, first, nExperts, gpu.capabilities.maxStorageBindingBytes);
  const usage = BufferUsage.STORAGE | BufferUsage.COPY_DST;
  const owned: GPUBuffer[] = [];
  const allocate = async (label: string, sizeBytes: number) => {
    const buffer = await gpu.buffers.allocate({ label, sizeBytes, usage, account: 'experts' });
    owned.push(buffer);
    return buffer;
  };
  const table = await allocate('table', 4 * nExperts);
  const shards = await allocateShards('slab', geometry, allocate);
  const slab = expertSlab(geometry, shards, { buffer: table, offsetBytes: 0, sizeBytes: table.size }, 0);
  const expertBytes = stagedParts({ ffn: first, expert: 0 }).sizeBytes;
  const alike = moe.filter(({ ffn }) => stagedParts({ ffn, expert: 0 }).sizeBytes === expertBytes);
  const jobs: LoadJob[] = alike.flatMap(({ layer, ffn }) =>
    ffn.gate.map((_, expert) => ({ layer, expert, ffn, isScan: false, slab, slot: expert })),
  );
  const release = () => owned.forEach((buffer) => gpu.buffers.release(buffer));
  return { jobs, slab, expertBytes, type: first.gate[0].tensor.type, release };
}

/** A line for people. The best round is told: what else the machine does makes rounds slower, never faster. */
export function ratesText({ type, expertBytes, nExperts, copy, ...rates }: LoadingRates): string {
  const best = (values: readonly number[]) => Math.max(0, ...values);
  const one = (name: string, values: readonly number[]) =>
    `${name} ${best(values).toFixed(2)} (${((100 * best(values)) / best(copy)).toFixed(0)} %)`;
  return (
    `${type}, ${nExperts} experts of ${(expertBytes / 2 ** 20).toFixed(2)} MiB, GB/s (of a copy): ${one('file', rates.fromFile)}, ` +
    `${one('pool', rates.fromPool)}, ${one('packed', rates.packed)}, ${one('resident', rates.resident)}, copy ${best(copy).toFixed(2)}`
  );
}
