/**
 * What approximate routing buys and costs: node main/hosts/launcher/with-node.mjs tests/gpu/measure-approximate.ts MODEL.gguf
 * [--slots 25%,50%] [--margins 0,0.5,1] [--tokens N] [--warm N] [--text FILE]. Every engine is fed the same text token by token after a warm-up; hit
 * rate and agreement are the engine's own counts, and its logits are held against those of the engine with all experts resident.
 * Times are processor time of this process (a software adapter computes in it) relative to exact routing with as many slots.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readModel } from '../../gpu/architectures/read-model.ts';
import { softmax, topIndices } from '../../gpu/reference/ops/routing.ts';
import { createEngine } from '../../gpu/runtime/engine.ts';
import type { EngineOptions } from '../../gpu/runtime/types.ts';
import { createTokenizer } from '../../gpu/tokenizer/tokenizer.ts';
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
    text: { type: 'string', default: path.join(import.meta.dirname, '..', '..', 'docs', 'first-steps.md') },
  },
});
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

const exact = (await measure({})).logits;
console.log('slots | margin | hits | agreement | misses a token | time | mean KL | same likeliest token');
for (const slots of values.slots.split(',')) {
  const nSlots = Math.max(nExpertsUsed, Math.round((nExperts * Number.parseFloat(slots)) / 100));
  const layers = moe.map(() => ({ kind: 'slotted' as const, nSlots }));
  const residency = { layers, ramPoolBytes: 2 ** 30, stagingBytes: 2 ** 24 };
  let baseMs = 0;
  for (const margin of values.margins.split(',').map(Number)) {
    const { counted, cpuMs, logits } = await measure({ residency, approximateRouting: margin });
    baseMs ||= cpuMs;
    const misses = counted.missesFromRam + counted.missesFromDisk;
    const { divergence, same } = compare(logits);
    const share = (x: number) => `${(100 * x).toFixed(1)} %`;
    const figures = [
      share(counted.hits / (counted.hits + misses)),
      share(routingAgreement(counted) ?? 1),
      (misses / tokens.length).toFixed(2),
    ];
    console.log([slots, margin, ...figures, (cpuMs / baseMs).toFixed(2), divergence.toFixed(4), share(same)].join(' | '));
  }
}
await opened.close();
gpu.dispose();
process.exit(0);

async function measure(options: Omit<EngineOptions, 'model'>) {
  const engine = await createEngine(gpu!, { model, contextTokens: tokens.length, ...options });
  try {
    await engine.decodeLogits(tokens.slice(0, Number(values.warm)));
    const before = engine.residency();
    const start = process.cpuUsage();
    const logits = await engine.decodeLogits(tokens);
    const { user, system } = process.cpuUsage(start);
    const after = engine.residency();
    const since = (key: 'hits' | 'missesFromRam' | 'missesFromDisk' | 'substitutes') => after[key] - before[key];
    const counted = {
      hits: since('hits'),
      missesFromRam: since('missesFromRam'),
      missesFromDisk: since('missesFromDisk'),
      substitutes: since('substitutes'),
    };
    return { logits, counted, cpuMs: (user + system) / 1000 };
  } finally {
    engine.dispose();
  }
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
