/**
 * Bytes a second from a file into expert slots, repack included, beside a plain copy in memory: node main/hosts/launcher/with-node.mjs
 * tests/gpu/measure-loading.ts MODEL.gguf [--rounds N] [--staging BYTES]. The file is in the page cache after the first round. Wall time and
 * processor time of this process (on a software adapter the GPU's work is in it).
 */
import { parseArgs } from 'node:util';
import { readModel } from '../../gpu/architectures/read-model.ts';
import { BufferUsage } from '../../gpu/device/usage.ts';
import { ExpertLoader } from '../../gpu/residency/cache/expert-loader.ts';
import { ExpertStore, stagedParts } from '../../gpu/residency/cache/expert-store.ts';
import { slabGeometry } from '../../gpu/residency/slab-geometry.ts';
import { allocateShards, expertSlab } from '../../gpu/residency/slabs.ts';
import { openModelFile } from '../../main/library/model-file.ts';
import { openTestDevice } from './node-gpu.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, staging: { type: 'string', default: String(32 * 2 ** 20) } },
});
const gpu = await openTestDevice();
if (!gpu || positionals.length !== 1) throw new Error('give a model file, on a machine with an adapter');
const opened = await openModelFile(positionals[0]);
const model = readModel(opened.file);
const moe = model.layers.flatMap(({ index, ffn }) => (ffn.kind === 'moe' ? [{ layer: index, ffn }] : []));
const [{ ffn: first }] = moe;
const geometry = slabGeometry(0, first, first.moe.nExperts, gpu.capabilities.maxStorageBindingBytes);
const usage = BufferUsage.STORAGE | BufferUsage.COPY_DST;
const allocate = (label: string, sizeBytes: number) => gpu.buffers.allocate({ label, sizeBytes, usage, account: 'experts' });
const table = await allocate('table', 4 * first.moe.nExperts);
const shards = await allocateShards('slab', geometry, allocate);
const slab = expertSlab(geometry, shards, { buffer: table, offsetBytes: 0, sizeBytes: table.size }, 0);
const expertBytes = stagedParts({ ffn: first, expert: 0 }).sizeBytes;
const store = new ExpertStore(model.file.sources, 0);
const loader = await ExpertLoader.create(gpu, store, { slabs: [slab], expertBytes, stagingBytes: Number(values.staging) });
const sameTypes = moe.filter(({ ffn }) => stagedParts({ ffn, expert: 0 }).sizeBytes === expertBytes);
const jobs = sameTypes.flatMap(({ layer, ffn }) => ffn.gate.map((_, expert) => ({ layer, expert, ffn, slab, slot: expert })));
const totalBytes = jobs.length * expertBytes;
console.log(`${jobs.length} experts of ${expertBytes} bytes (${first.gate[0].tensor.type}) on ${gpu.capabilities.description}`);
for (let round = 0; round < Number(values.rounds); round++) {
  const loaded = await timed(async () => {
    await loader.load(jobs);
    await gpu.idle();
  });
  const from = new Uint8Array(totalBytes).fill(1); // far above the caches
  const to = new Uint8Array(totalBytes).fill(2);
  const copied = await timed(async () => to.set(from));
  const rate = (ms: number) => (totalBytes / ms / 1e6).toFixed(2);
  console.log(
    `round ${round}: ${rate(loaded.wallMs)} GB/s, copy ${rate(copied.wallMs)} GB/s; by processor time ${rate(loaded.cpuMs)} and ${rate(copied.cpuMs)} ` +
      `(${((100 * copied.cpuMs) / loaded.cpuMs).toFixed(0)} % of a copy)`,
  );
}
await opened.close();
process.exit(0);

async function timed(work: () => Promise<void>): Promise<{ wallMs: number; cpuMs: number }> {
  const [startMs, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - startMs, cpuMs: (user + system) / 1000 };
}
