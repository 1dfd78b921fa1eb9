/**
 * Child process: loads a model by the product's own planner, answers once, and prints what that took as one JSON line. Started by the scripts
 * beside it, which watch its memory; without MODEL it only opens the device and waits for its stdin to end, for the adapter's own memory.
 */
import { parseArgs } from 'node:util';
import { openDevice } from '../../gpu/device/open-device.ts';
import type { OffloadPlan } from '../../gpu/residency/plan/types.ts';
import { hitCurveOf } from '../../gpu/residency/policy/reuse-depths.ts';
import type { ResidencyCounters } from '../../gpu/residency/types.ts';
import { reuseDepthsOf } from '../../gpu/runtime/expert-activity.ts';
import type { EngineCounters, MemoryLedger } from '../../gpu/runtime/types.ts';
import { promptIds } from '../../main/hosts/cli/commands/bench.ts';
import { openEngine, type OpenEngineOptions } from '../../main/hosts/node/engine.ts';
import { nodeGpu, type AdapterChoice } from '../../main/hosts/node/gpu.ts';

export interface Answer {
  readonly loadMs: number;
  readonly prefillMs: number;
  /** From the start of the decode. */
  readonly firstTokenMs: number;
  /** Of the tokens behind the first. */
  readonly decodeMs: number;
  /** Of each of them. */
  readonly tokenMs: readonly number[];
  readonly tokens: number;
  /** Of this process up to the first token, and behind it: with a software adapter all work, the GPU's included, whatever else the machine does. */
  readonly processorMs: { readonly firstToken: number; readonly behindIt: number };
  readonly plan: OffloadPlan;
  readonly ledger: MemoryLedger;
  readonly residency: ResidencyCounters;
  readonly counters: EngineCounters;
  readonly adapter: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    adapter: { type: 'string', default: 'auto' },
    gpu: { type: 'string' },
    ram: { type: 'string' },
    prompt: { type: 'string', default: '64' },
    tokens: { type: 'string', default: '32' },
    /** Tokens answered before, from a prompt as long: drivers compile at a first dispatch, slots fill. Nothing of it is counted. */
    warm: { type: 'string', default: '0' },
    /** 0: greedy. Greedy answers of tiny models repeat themselves, and then hardly miss. */
    temperature: { type: 'string', default: '0' },
    /** Tokens answered before that, by an engine of its own, whose routing the plan's hit rates then come from; 0: assumed. */
    recorded: { type: 'string', default: '0' },
    data: { type: 'string' },
    /** Seconds after which no further token is asked for. */
    limit: { type: 'string', default: 'Infinity' },
  },
});
const adapter = values.adapter as AdapterChoice;
const SAMPLING = { temperature: Number(values.temperature), topK: 0, topP: 1, minP: 0, seed: 5 };
// The parent holds the other end: when it is gone, so is this.
if (positionals.length > 0) process.stdin.once('end', () => process.exit(1)).resume();
if (positionals.length === 0) await openAndWait();
else console.log(JSON.stringify(await answer(positionals[0])));
process.exit(0);

async function openAndWait(): Promise<void> {
  const gpu = await openDevice(await nodeGpu(adapter));
  await gpu.idle();
  console.log('open');
  for await (const _ of process.stdin); // until the parent has looked
  gpu.dispose();
}

async function answer(path: string): Promise<Answer> {
  const [promptTokens, newTokens] = [Number(values.prompt), Number(values.tokens)];
  const wishes = {
    path,
    adapter,
    contextTokens: promptTokens + newTokens,
    promptTokens,
    gpuBudget: values.gpu ? { bytes: Number(values.gpu) } : undefined,
    ramBudget: values.ram ? { bytes: Number(values.ram) } : undefined,
    dataFolder: values.data,
    measure: true,
  };
  const hitCurve = Number(values.recorded) > 0 ? await recordedCurve(wishes, Number(values.recorded)) : undefined;
  const opened = await openEngine({ ...wishes, hitCurve });
  const { engine, plan, loadMs, device } = opened;
  console.error(`loaded in ${seconds(loadMs)} s; layers ${JSON.stringify(plan.layers)}`);
  if (Number(values.warm) > 0) {
    await engine.prefill(promptIds(promptTokens, opened.model.vocabularySize));
    const warming = engine.generate({ maxTokens: Number(values.warm), sampling: SAMPLING, endIds: new Set() });
    while (!(await warming.next()).done);
    engine.truncate(0);
  }
  const before = { residency: engine.residency(), counters: engine.counters() };
  const startMs = performance.now();
  await engine.prefill(promptIds(promptTokens, opened.model.vocabularySize), {
    onProgress: (done, total) =>
      console.error(
        `prefill ${done}/${total} after ${seconds(performance.now() - startMs)} s, ${seconds(processorMs())} s of processor time`,
      ),
  });
  const prefilledMs = performance.now();
  let [tokens, firstMs, firstProcessorMs, lastMs] = [0, prefilledMs, 0, prefilledMs];
  const tokenMs: number[] = [];
  for await (const _ of engine.generate({ maxTokens: newTokens, sampling: SAMPLING, endIds: new Set() })) {
    const nowMs = performance.now();
    if (++tokens === 1) [firstMs, firstProcessorMs] = [nowMs, processorMs()];
    else tokenMs.push(nowMs - lastMs);
    lastMs = nowMs;
    if (performance.now() > 1000 * Number(values.limit)) break;
    if (tokens % 100 === 0 || tokens < 10)
      console.error(
        `${tokens} tokens after ${seconds(performance.now() - prefilledMs)} s, ${seconds(processorMs())} s of processor time`,
      );
  }
  const times = {
    loadMs,
    prefillMs: prefilledMs - startMs,
    firstTokenMs: firstMs - prefilledMs,
    decodeMs: performance.now() - firstMs,
    tokenMs,
    processorMs: { firstToken: firstProcessorMs, behindIt: processorMs() - firstProcessorMs },
  };
  const { hits, missesFromRam, missesFromDisk } = engine.residency();
  const { prefillTokens, decodeReadbacks } = engine.counters();
  const figures = {
    ledger: engine.memory(),
    residency: {
      ...engine.residency(),
      hits: hits - before.residency.hits,
      missesFromRam: missesFromRam - before.residency.missesFromRam,
      missesFromDisk: missesFromDisk - before.residency.missesFromDisk,
    },
    counters: {
      ...engine.counters(),
      prefillTokens: prefillTokens - before.counters.prefillTokens,
      decodeReadbacks: decodeReadbacks - before.counters.decodeReadbacks,
    },
  };
  await opened.close();
  return { ...times, tokens, plan, ...figures, adapter: device.capabilities.description };
}

/** By the routing of an answer of so many tokens, in turns that the context has room for. */
async function recordedCurve(wishes: OpenEngineOptions & { readonly promptTokens: number }, tokens: number) {
  const opened = await openEngine(wishes);
  const depths = reuseDepthsOf(opened.model);
  const nExperts = Math.max(...opened.model.layers.map(({ ffn }) => (ffn.kind === 'moe' ? ffn.moe.nExperts : 0)));
  const byDepth = new Array<number>(nExperts).fill(0);
  const maxTokens = wishes.contextTokens! - wishes.promptTokens;
  for (let done = 0; done < tokens; done += maxTokens) {
    opened.engine.truncate(0);
    await opened.engine.prefill(promptIds(wishes.promptTokens, opened.model.vocabularySize));
    const sampling = { ...SAMPLING, seed: SAMPLING.seed + 1 + done };
    for await (const { routing } of opened.engine.generate({ maxTokens, sampling, endIds: new Set(), routing: true }))
      if (routing) depths.add(routing, byDepth);
  }
  await opened.close();
  return hitCurveOf(byDepth);
}

function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
