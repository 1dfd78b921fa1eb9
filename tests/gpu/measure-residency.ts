/**
 * Speed with experts that come and go beside speed with all on the GPU: node main/hosts/launcher/with-node.mjs tests/gpu/measure-residency.ts
 * MODEL.gguf [--slots 40%,75%,streamed] [--reach auto,1,Infinity] [--tokens N] [--warm N] [--ram BYTES] [--link MB/s] [--rounds N]
 * Engines take turns within one run; ids must be equal everywhere. A software adapter is also timed by processor time of this process, which
 * other programs disturb less. `--link` delays every read as a disk of that speed would.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readModel } from '../../gpu/architectures/read-model.ts';
import type { ByteSource } from '../../gpu/gguf/types.ts';
import type { LayerResidency, ResidencyPlan } from '../../gpu/residency/types.ts';
import { createEngine } from '../../gpu/runtime/engine.ts';
import type { Engine } from '../../gpu/runtime/types.ts';
import { drawU32 } from '../../gpu/reference/ops/random.ts';
import { openModelFile } from '../../main/library/model-file.ts';
import { openTestDevice } from './node-gpu.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    slots: { type: 'string', default: '40%' },
    reach: { type: 'string', default: 'auto,1,Infinity' },
    tokens: { type: 'string', default: '32' },
    warm: { type: 'string', default: '32' },
    ram: { type: 'string', default: String(2 ** 30) },
    link: { type: 'string' },
    rounds: { type: 'string', default: '3' },
  },
});
const gpu = await openTestDevice();
if (!gpu || positionals.length !== 1) throw new Error('give a model file, on a machine with an adapter');
const opened = await openModelFile(positionals[0]);
const linkBytesPerMs = values.link ? Number(values.link) * 1000 : Infinity;
const sources = opened.file.sources.map((source) => throttled(source));
const model = readModel({ ...opened.file, sources });
const moe = model.layers.flatMap(({ ffn }) => (ffn.kind === 'moe' ? [ffn.moe] : []));
const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0, seed: 5 };
const [nTokens, nWarm, nRounds] = [values.tokens, values.warm, values.rounds].map(Number);
const prompt = Array.from({ length: 8 }, (_, i) => drawU32(3, i) % model.vocabularySize);
console.log(
  `${positionals[0]}: ${moe.length} layers, ${moe[0].nExperts} experts, ${moe[0].nExpertsUsed} used; ${gpu.capabilities.description}`,
);

interface Row {
  readonly name: string;
  readonly engine: Engine;
  wallMs: number;
  cpuMs: number;
}

for (const slots of values.slots.split(',')) {
  const rows: Row[] = [{ name: 'all resident', engine: await makeEngine(), wallMs: 0, cpuMs: 0 }];
  for (const reach of values.reach.split(',')) {
    const missReach = reach === 'auto' ? undefined : Number(reach);
    rows.push({ name: `${slots}, reach ${reach}`, engine: await makeEngine(planFor(slots), missReach), wallMs: 0, cpuMs: 0 });
  }
  for (const { engine } of rows) await engine.prefill(prompt);
  await sameIds(rows, nWarm);
  const before = rows.map(({ engine }) => ({ ...engine.counters(), ...engine.residency() }));
  for (let round = 0; round < nRounds; round++) await sameIds(rows, Math.ceil(nTokens / nRounds), true);
  const base = rows[0];
  rows.forEach(({ name, engine, wallMs, cpuMs }, i) => {
    const now = { ...engine.counters(), ...engine.residency() };
    const tokens = now.decodeTokens - before[i].decodeTokens;
    const since = (key: keyof typeof now) => now[key] - before[i][key];
    const misses = since('missesFromRam') + since('missesFromDisk');
    const uses = since('hits') + misses;
    const figures = [
      `${((1000 * tokens) / wallMs).toFixed(2)} tok/s (${(base.wallMs / wallMs).toFixed(2)} of all resident, by processor time ${(base.cpuMs / cpuMs).toFixed(2)})`,
      `${(since('decodeReadbacks') / tokens).toFixed(2)} read-backs`,
    ];
    if (uses > 0) {
      figures.push(
        `hits ${((100 * since('hits')) / uses).toFixed(1)} %`,
        `${(misses / tokens).toFixed(1)} misses, ${(since('expertBytesUploaded') / tokens / 2 ** 20).toFixed(2)} MiB a token`,
        `${since('laterMissesNamed')} of ${since('laterMisses')} later misses named, ${since('namedInVain')} in vain`,
      );
    }
    console.log(`${name.padEnd(24)} ${figures.join(' · ')}`);
  });
  for (const { engine } of rows) engine.dispose();
}
await opened.close();
gpu.dispose();
process.exit(0);

function throttled(source: ByteSource): ByteSource {
  let freeAtMs = 0;
  return {
    name: source.name,
    sizeBytes: source.sizeBytes,
    read: (offset, length, signal) => source.read(offset, length, signal),
    async readInto(offset, target, signal) {
      freeAtMs = Math.max(freeAtMs, performance.now()) + target.byteLength / linkBytesPerMs;
      const waitMs = freeAtMs - performance.now();
      await source.readInto(offset, target, signal);
      if (waitMs > 1) await sleep(waitMs);
    },
    verify: async () => source.verify?.(),
  };
}

function planFor(slots: string): ResidencyPlan {
  const kind = ({ nExperts, nExpertsUsed }: (typeof moe)[number]): LayerResidency =>
    slots === 'streamed'
      ? { kind: 'streamed' }
      : { kind: 'slotted', nSlots: Math.max(nExpertsUsed, Math.floor((nExperts * Number(slots.replace('%', ''))) / 100)) };
  return { layers: moe.map(kind), ramPoolBytes: Number(values.ram), stagingBytes: 32 * 2 ** 20 };
}

function makeEngine(residency?: ResidencyPlan, missReach?: number): Promise<Engine> {
  return createEngine(gpu!, { model, contextTokens: 512, residency, missReach, tokensInFlight: 1 });
}

/** Every engine generates the next `count` tokens; throws where one says another text. */
async function sameIds(rows: Row[], count: number, isTimed = false): Promise<void> {
  let wanted: string | null = null;
  for (const row of rows) {
    const [startMs, cpu] = [performance.now(), process.cpuUsage()];
    const ids: number[] = [];
    for await (const { id } of row.engine.generate({ maxTokens: count, sampling, endIds: new Set() })) ids.push(id);
    const { user, system } = process.cpuUsage(cpu);
    if (isTimed) [row.wallMs, row.cpuMs] = [row.wallMs + performance.now() - startMs, row.cpuMs + (user + system) / 1000];
    console.error(`  ${row.name}: ${ids.length} tokens in ${(performance.now() - startMs).toFixed(0)} ms`);
    wanted ??= ids.join();
    if (ids.join() !== wanted) throw new Error(`${row.name}: ${ids.join()} instead of ${wanted}`);
  }
}
