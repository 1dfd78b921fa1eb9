/**
 * What approximate routing buys and costs: node main/hosts/launcher/with-node.mjs tests/gpu/measure-approximate.ts MODEL.gguf
 * [--slots 25%,50%] [--margins 0,0.5,1] [--tokens N] [--warm N] [--rounds N] [--text FILE]. Every engine is fed the same text token by token after a
 * warm-up: first for its logits, held against those of the engine with all experts resident; then for time, the engines of one number of
 * slots taking turns (the first margin is the base). Hits, misses and agreement are the engine's own counts.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readModel } from '../../gpu/architectures/read-model.ts';
import { softmax, topIndices } from '../../gpu/reference/ops/routing.ts';
import { createEngine } from '../../gpu/runtime/engine.ts';
import type { Engine, EngineOptions } from '../../gpu/runtime/types.ts';
import { createTokenizer } from '../../gpu/tokenizer/tokenizer.ts';
import { median } from '../../main/hosts/cli/commands/bench.ts';
import { percent, textTable } from '../../main/hosts/cli/text-table.ts';
import { routingAgreement } from '../../main/contract/approximate-routing.ts';
import { openModelFile } from '../../main/library/model-file.ts';
import { openTestDevice } from './node-gpu.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    slots: { type: 'string', default: '25%,50%' },
    margins: { type: 'string', default: '0,0.25,0.5,1,2,4' },
    tokens: { type: 'string', default: '96' },
    warm: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '5' },
    text: { type: 'string', default: path.join(import.meta.dirname, '..', '..', 'docs', 'first-steps.md') },
  },
});

interface Runner {
  readonly engine: Engine;
  readonly margin: number;
  readonly quality: readonly string[];
  readonly wallMs: number[];
  readonly cpuMs: number[];
  readonly readbacks: number[];
}

const gpu = await openTestDevice();
if (!gpu || positionals.length !== 1) throw new Error('give a model file, on a machine with an adapter');
const opened = await openModelFile(positionals[0]);
const model = readModel(opened.file);
const moe = model.layers.flatMap(({ ffn }) => (ffn.kind === 'moe' ? [ffn.moe] : []));
const text = createTokenizer(opened.file.metadata).encode(readFileSync(values.text, 'utf8'), {
  parseSpecial: false,
  addSpecial: true,
});
const tokens = text.slice(0, Number(values.tokens));
const { nExperts, nExpertsUsed } = moe[0];
console.log(
  `${positionals[0]}: ${moe.length} layers, ${nExperts} experts, ${nExpertsUsed} used; ${tokens.length} tokens; ${gpu.capabilities.description}`,
);

const exact = await exactLogits();
const rows = [
  ['slots', 'margin', 'hits', 'agreement', 'misses a token', 'mean KL', 'same token', 'tokens/s', 'speed', 'by processor'],
];
for (const slots of values.slots.split(',')) {
  const nSlots = Math.max(nExpertsUsed, Math.round((nExperts * Number.parseFloat(slots)) / 100));
  const layers = moe.map(() => ({ kind: 'slotted' as const, nSlots }));
  const residency = { layers, ramPoolBytes: 2 ** 30, stagingBytes: 2 ** 24 };
  const runners: Runner[] = [];
  for (const margin of values.margins.split(',').map(Number)) {
    const engine = await engineOf({ residency, approximateRouting: margin });
    runners.push({ engine, margin, quality: await qualityOf(engine), wallMs: [], cpuMs: [], readbacks: [] });
  }
  for (let round = 0; round < Number(values.rounds); round++)
    for (let i = 0; i < runners.length; i++) await timed(runners[(round + i) % runners.length]);
  const [base] = runners;
  for (const { engine, margin, quality, wallMs, cpuMs, readbacks } of runners) {
    const nTimed = tokens.length - 1;
    const ratios = [median(base.wallMs) / median(wallMs), median(base.cpuMs) / median(cpuMs)].map((ratio) => ratio.toFixed(2));
    const speed = ((1000 * nTimed) / median(wallMs)).toFixed(1);
    rows.push([slots, `${margin}`, ...quality, speed, ...ratios, (median(readbacks) / nTimed).toFixed(1)]);
    engine.dispose();
  }
}
console.log(textTable(rows, 2).join('\n'));
await opened.close();
gpu.dispose();
process.exit(0);

function engineOf(options: Omit<EngineOptions, 'model'>): Promise<Engine> {
  return createEngine(gpu!, { model, contextTokens: tokens.length, ...options });
}

async function exactLogits(): Promise<Float32Array> {
  const engine = await engineOf({});
  try {
    return await engine.decodeLogits(tokens);
  } finally {
    engine.dispose();
  }
}

async function qualityOf(engine: Engine): Promise<string[]> {
  await engine.decodeLogits(tokens.slice(0, Number(values.warm)));
  const before = engine.residency();
  const logits = await engine.decodeLogits(tokens);
  const after = engine.residency();
  const since = (key: 'hits' | 'missesFromRam' | 'missesFromDisk' | 'substitutes') => after[key] - before[key];
  const counted = {
    hits: since('hits'),
    missesFromRam: since('missesFromRam'),
    missesFromDisk: since('missesFromDisk'),
    substitutes: since('substitutes'),
  };
  const misses = counted.missesFromRam + counted.missesFromDisk;
  const { divergence, same } = compare(logits);
  return [
    percent(counted.hits / (counted.hits + misses)),
    percent(routingAgreement(counted) ?? 1),
    (misses / tokens.length).toFixed(2),
    divergence.toFixed(4),
    percent(same),
  ];
}

/** The text once through decode, as `generate` would run it but with the tokens given. */
async function timed({ engine, wallMs, cpuMs, readbacks }: Runner): Promise<void> {
  engine.truncate(0);
  await engine.prefill(tokens.slice(0, 1)); // kept back, so nothing is computed
  const before = engine.counters().decodeReadbacks;
  const [startMs, start] = [performance.now(), process.cpuUsage()];
  await engine.replay(tokens.slice(1));
  const { user, system } = process.cpuUsage(start);
  wallMs.push(performance.now() - startMs);
  cpuMs.push((user + system) / 1000);
  readbacks.push(engine.counters().decodeReadbacks - before);
}

/** KL(exact ‖ these) in nats, mean over positions, and how often the likeliest token is the same. */
function compare(logits: Float32Array): { divergence: number; same: number } {
  const width = model.vocabularySize;
  let [divergence, same] = [0, 0];
  for (let t = 0; t < tokens.length; t++) {
    const [wanted, given] = [exact, logits].map((all) => all.subarray(t * width, (t + 1) * width));
    const [p, q] = [softmax(wanted), softmax(given)];
    for (let i = 0; i < width; i++) if (p[i] > 0) divergence += p[i] * Math.log(p[i] / Math.max(q[i], Number.MIN_VALUE));
    if (topIndices(wanted, 1)[0] === topIndices(given, 1)[0]) same++;
  }
  return { divergence: divergence / tokens.length, same: same / tokens.length };
}
