/**
 * Speed with experts that come and go beside speed with all on the GPU: node main/hosts/launcher/with-node.mjs tests/gpu/measure-residency.ts
 * MODEL.gguf [--slots 40%,75%,streamed] [--hits 0.8,0.9] [--reach auto,1,Infinity] [--tokens N] [--warm N] [--seeds 5,6] [--ram BYTES] [--link MB/s]
 * [--rounds N]. Engines take turns within one run and must say the same ids. `--hits` finds slots with which the routing of the run, recorded before, hits
 * so often; `--link` delays every read as a disk of that speed would. Exit code 1 where the reach chosen by cost is slower than 0.95 of the best fixed one.
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
import { shareOf } from '../offload/share-plan.ts';
import { openTestDevice } from './node-gpu.ts';
import { slotsForHitRate } from './slots-for-hit-rate.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    slots: { type: 'string' },
    hits: { type: 'string' },
    reach: { type: 'string', default: 'auto,1,Infinity' },
    tokens: { type: 'string', default: '32' },
    warm: { type: 'string', default: '32' },
    seeds: { type: 'string', default: '5' },
    ram: { type: 'string', default: String(2 ** 30) },
    link: { type: 'string' },
    rounds: { type: 'string', default: '3' },
  },
});
const LEAST_OF_BEST = 0.95;
const PROMPT_TOKENS = 8;
const gpu = await openTestDevice();
if (!gpu || positionals.length !== 1) throw new Error('give a model file, on a machine with an adapter');
const opened = await openModelFile(positionals[0]);
const linkBytesPerMs = values.link ? Number(values.link) * 1000 : Infinity;
const model = readModel({ ...opened.file, sources: opened.file.sources.map((source) => throttled(source)) });
const moe = model.layers.flatMap(({ ffn }) => (ffn.kind === 'moe' ? [ffn.moe] : []));
const [nTokens, nWarm, nRounds] = [values.tokens, values.warm, values.rounds].map(Number);
const seeds = values.seeds.split(',').map(Number);
const roundTokens = Math.ceil(nTokens / nRounds);
const contextTokens = Math.max(256, PROMPT_TOKENS + nWarm + roundTokens * nRounds);
console.log(
  `${positionals[0]}: ${moe.length} layers, ${moe[0].nExperts} experts, ${moe[0].nExpertsUsed} used; ${gpu.capabilities.description}; ` +
    `seeds ${values.seeds}; ${values.link ? `link of ${values.link} MB/s` : 'link as it is'}`,
);

interface Row {
  readonly name: string;
  readonly engine: Engine;
  /** Milliseconds by seed. */
  readonly wallMs: number[];
  readonly cpuMs: number[];
}

const base = rowOf('all resident', await makeEngine());
const placements: [string, readonly LayerResidency[]][] = (values.slots ?? (values.hits ? '' : '40%'))
  .split(',')
  .filter((slots) => slots !== '')
  .map((slots) => [slots, moe.map(slotsOf(slots))]);
if (values.hits) {
  const answers: Uint16Array[][] = [];
  for (const seed of seeds) {
    const routing: Uint16Array[] = [];
    await start(base, seed);
    await generate(base, nWarm + roundTokens * nRounds, seed, (ids) => routing.push(ids));
    answers.push(routing);
  }
  for (const target of values.hits.split(','))
    placements.push([`hits ${target}`, slotsForHitRate(moe, answers, nWarm, Number(target))]);
}
let isBest = true;
for (const [name, layers] of placements) {
  const rows = [{ ...base, wallMs: [] as number[], cpuMs: [] as number[] }];
  for (const reach of values.reach.split(',')) {
    const missReach = reach === 'auto' ? undefined : Number(reach);
    rows.push(rowOf(`${name}, reach ${reach}`, await makeEngine(planWith(layers), missReach)));
  }
  const since = new Map<Row, Record<string, number>>();
  for (const seed of seeds) {
    for (const row of rows) await start(row, seed);
    await sameIds(rows, nWarm, seed);
    const before = rows.map(({ engine }) => totals(engine));
    for (const row of rows) [row.wallMs, row.cpuMs].forEach((list) => list.push(0));
    for (let round = 0; round < nRounds; round++) await sameIds(rows, roundTokens, seed, round);
    rows.forEach((row, i) => {
      const now = totals(row.engine);
      const sums = since.get(row) ?? {};
      for (const key in now) sums[key] = (sums[key] ?? 0) + now[key] - before[i][key];
      since.set(row, sums);
    });
  }
  for (const row of rows) console.log(`${row.name.padEnd(26)} ${figures(row, rows[0], since.get(row)!)}`);
  isBest = besideBest(rows) && isBest;
  for (const { engine } of rows.slice(1)) engine.dispose();
}
base.engine.dispose();
await opened.close();
gpu.dispose();
process.exit(isBest ? 0 : 1);

function figures(row: Row, all: Row, since: Record<string, number>): string {
  const tokens = since.decodeTokens;
  const [wallMs, cpuMs] = [sum(row.wallMs), sum(row.cpuMs)];
  const parts = [
    `${((1000 * tokens) / wallMs).toFixed(2)} tok/s (${(sum(all.wallMs) / wallMs).toFixed(2)} of all resident, by processor time ${(sum(all.cpuMs) / cpuMs).toFixed(2)})`,
    `${(since.decodeReadbacks / tokens).toFixed(2)} read-backs`,
  ];
  const misses = since.missesFromRam + since.missesFromDisk;
  const uses = since.hits + misses;
  if (uses > 0) {
    parts.push(
      `hits ${((100 * since.hits) / uses).toFixed(1)} %`,
      `${(misses / tokens).toFixed(1)} misses, ${(since.expertBytesUploaded / tokens / 2 ** 20).toFixed(2)} MiB a token`,
      `${since.laterMissesNamed} of ${since.laterMisses} later misses named, ${since.namedInVain} in vain`,
    );
  }
  return parts.join(' · ');
}

/** The reach that is chosen by cost beside whichever fixed one was the fastest, seed by seed and over all. */
function besideBest(rows: readonly Row[]): boolean {
  const [, ...missing] = rows;
  const chosen = missing.find(({ name }) => name.endsWith('auto'));
  const fixed = missing.filter((row) => row !== chosen);
  if (!chosen || fixed.length === 0) return true;
  const ratios = seeds.map((_, i) => Math.min(...fixed.map(({ wallMs }) => wallMs[i])) / chosen.wallMs[i]);
  const best = fixed.reduce((a, b) => (sum(b.wallMs) < sum(a.wallMs) ? b : a));
  const ratio = sum(best.wallMs) / sum(chosen.wallMs);
  const each = seeds.map((seed, i) => `seed ${seed}: ${ratios[i].toFixed(2)}`).join(', ');
  console.log(`  chosen ÷ best fixed (${best.name}): ${ratio.toFixed(2)} (${each})`);
  return ratio >= LEAST_OF_BEST;
}

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

function slotsOf(slots: string): (layer: (typeof moe)[number]) => LayerResidency {
  if (slots === 'streamed') return () => ({ kind: 'streamed' });
  const share = shareOf(slots);
  return ({ nExperts, nExpertsUsed }) => ({
    kind: 'slotted',
    nSlots: Math.max(nExpertsUsed, Math.floor(nExperts * share)),
  });
}

function planWith(layers: readonly LayerResidency[]): ResidencyPlan {
  return { layers, ramPoolBytes: Number(values.ram), stagingBytes: 32 * 2 ** 20 };
}

function makeEngine(residency?: ResidencyPlan, missReach?: number): Promise<Engine> {
  return createEngine(gpu!, { model, contextTokens, residency, missReach });
}

function rowOf(name: string, engine: Engine): Row {
  return { name, engine, wallMs: [], cpuMs: [] };
}

function totals(engine: Engine): Record<string, number> {
  return { ...engine.counters(), ...engine.residency() };
}

async function start({ engine }: Row, seed: number): Promise<void> {
  engine.truncate(0);
  await engine.prefill(Array.from({ length: PROMPT_TOKENS }, (_, i) => drawU32(seed, i) % model.vocabularySize));
}

async function generate({ engine }: Row, count: number, seed: number, onRouting?: (ids: Uint16Array) => void): Promise<string> {
  const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0, seed };
  const ids: number[] = [];
  const request = { maxTokens: count, sampling, endIds: new Set<number>(), routing: onRouting !== undefined };
  for await (const { id, routing } of engine.generate(request)) {
    ids.push(id);
    if (routing) onRouting?.(routing);
  }
  return ids.join();
}

/** Every engine generates the next `count` tokens, another one first in every round; throws where one says another text. */
async function sameIds(rows: readonly Row[], count: number, seed: number, round?: number): Promise<void> {
  let wanted: string | null = null;
  const first = (round ?? 0) % rows.length;
  for (const row of [...rows.slice(first), ...rows.slice(0, first)]) {
    const [startMs, cpu] = [performance.now(), process.cpuUsage()];
    const ids = await generate(row, count, seed);
    const elapsedMs = performance.now() - startMs;
    const { user, system } = process.cpuUsage(cpu);
    if (round !== undefined) {
      row.wallMs[row.wallMs.length - 1] += elapsedMs;
      row.cpuMs[row.cpuMs.length - 1] += (user + system) / 1000;
    }
    console.error(`  ${row.name}: ${count} tokens in ${elapsedMs.toFixed(0)} ms`);
    wanted ??= ids;
    if (ids !== wanted) throw new Error(`${row.name}: ${ids} instead of ${wanted}`);
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
