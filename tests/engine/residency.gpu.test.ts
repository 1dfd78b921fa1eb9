/**
 * Experts that come and go never change a bit: every plan, policy and disturbance beside the run with all experts on the GPU. Two models go
 * through every plan, the others through the one that mixes all kinds of layers; CONCLAVE_PLANS=all (.ci/run) crosses all with all.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import type { LayerResidency } from '../../gpu/residency/types.ts';
import type { Engine, EngineOptions } from '../../gpu/runtime/types.ts';
import type { TinyModelOptions } from '../fixtures/tiny-model.ts';
import { hostile, planOf, RESIDENT, slotted, STREAMED } from './plans.ts';
import { allKv, bits, generate, gpu, GREEDY, someTokens, tinySpec, withEngine } from './setup.ts';

const N_TOKENS = 21;
const SAMPLED = { temperature: 0.9, topK: 40, topP: 0.95, minP: 0.02, seed: 1234 };

const MODELS: Record<string, Omit<TinyModelOptions, 'seed'>> = {
  mixtral: { architecture: 'mixtral', type: 'Q4_0', nLayers: 4 },
  qwen2moe: { architecture: 'qwen2moe', type: 'Q8_0', nLayers: 4 },
  qwen3moe: { architecture: 'qwen3moe', type: 'Q4_1', nLayers: 4 },
  olmoe: { architecture: 'olmoe', type: 'F16', nLayers: 4 },
  'groups of experts behind a dense layer': { architecture: 'bailingmoe2', type: 'Q8_0', nLayers: 4 },
  'biases, sinks, windows': { architecture: 'gpt-oss', type: 'MXFP4', otherType: 'Q8_0', nLayers: 4 },
  'types mixed': { architecture: 'mixtral', type: 'Q4_K', otherType: 'Q6_K', nLayers: 4 },
  '64 experts, 2 used': { architecture: 'qwen3moe', type: 'Q8_0', nLayers: 3, nExperts: 64, nExpertsUsed: 2 },
  'half of the experts used': { architecture: 'olmoe', type: 'Q8_0', nLayers: 3, nExpertsUsed: 4 },
};

const EVERY_PLAN = ['mixtral', '64 experts, 2 used'];

describe.skipIf(!gpu).each(Object.keys(MODELS))('%s', (name) => {
  let model: ModelSpec;
  let tokens: number[];
  let truth: Awaited<ReturnType<typeof everything>>;
  beforeAll(async () => {
    model = await tinySpec(MODELS[name]);
    tokens = someTokens(model, N_TOKENS);
    truth = await everything({});
  });

  /** Everything that must not change: logits both ways, KV of the prompt and of the answer, sampled and greedy ids, the routing. */
  const everything = (options: Omit<EngineOptions, 'model'>, first?: (engine: Engine) => Promise<void>) =>
    withEngine(model, { contextTokens: 64, prefillChunkTokens: 8, ...options }, async (engine) => {
      await first?.(engine);
      const logits = bits(await engine.logits(tokens));
      const decoded = bits(await engine.decodeLogits(tokens.slice(0, 5)));
      engine.truncate(0);
      await engine.prefill(tokens);
      const sampled = (await generate(engine, 8, SAMPLED)).map(({ id }) => id);
      engine.truncate(9);
      await engine.prefill(tokens.slice(9));
      const greedy = await generate(engine, 16, GREEDY, { routing: true });
      const kv = await allKv(engine, N_TOKENS + 14);
      return { ran: { logits, decoded, sampled, greedy, kv }, counters: engine.residency() };
    });
  /** Committed tokens of `everything` that went through decode. */
  const nDecoded = 5 + 8 + 16;

  const nMoeLayers = () => model.layers.filter(({ ffn }) => ffn.kind === 'moe').length;
  const nUsed = MODELS[name].nExpertsUsed ?? 2;
  const nExperts = MODELS[name].nExperts ?? 8;
  const [quarter, half] = [Math.max(nUsed, nExperts / 4), Math.max(nUsed, nExperts / 2)];
  const everyPlan = process.env.CONCLAVE_PLANS === 'all' || EVERY_PLAN.includes(name);
  const slots = [...new Set([nUsed, quarter, half])].map((n): [string, LayerResidency[]] => [
    `${n} slots of ${nExperts}`,
    [slotted(n)],
  ]);
  const plans: [string, LayerResidency[]][] = [
    ...(everyPlan ? [['streamed', [STREAMED]] as [string, LayerResidency[]], ...slots] : []),
    ['all kinds', [slotted(nUsed + 1), RESIDENT, STREAMED, slotted(2 * nUsed)]],
  ];
  test.each(plans)('%s', async (_, kinds) => {
    const { ran, counters } = await everything({ residency: planOf(model, kinds) });
    expect(ran).toEqual(truth.ran);
    const { hits, missesFromRam, missesFromDisk } = counters;
    expect(hits + missesFromRam + missesFromDisk).toBe(nDecoded * nMoeLayers() * nUsed);
    expect(missesFromDisk).toBeGreaterThan(0);
    expect(missesFromRam).toBe(0);
  });

  const reaches = nExperts === 64 ? [1, 2, Infinity] : [];
  test.each(reaches)('looking every %s layers', async (missReach) => {
    const { ran, counters } = await everything({ residency: planOf(model, [slotted(nUsed + 1)]), missReach });
    expect(ran).toEqual(truth.ran);
    expect(counters.laterMissesNamed).toBeLessThanOrEqual(counters.laterMisses);
    if (missReach === 1) expect(counters.scouts).toBe(0);
    else expect(counters.laterMissesNamed).toBeGreaterThan(0);
  });

  test('a step measured before the first token leaves nothing behind', async () => {
    const residency = planOf(model, [slotted(nUsed + 1), RESIDENT, STREAMED]);
    let stepMs = 0;
    const { ran, counters } = await everything({ residency }, async (engine) => {
      stepMs = (await engine.measureStepMs?.()) ?? 0;
      expect(engine.residency()).toMatchObject({ hits: 0, evictions: 0, expertBytesUploaded: 0 });
    });
    expect(stepMs).toBeGreaterThan(0);
    expect(ran).toEqual(truth.ran);
    expect(counters.hits + counters.missesFromDisk).toBe(nDecoded * nMoeLayers() * nUsed);
  });

  test('evicted by chance, from the RAM pool, with little staging', async () => {
    const residency = planOf(model, [slotted(nUsed + 1), STREAMED], {
      ramPoolBytes: 400_000,
      stagingBytes: 1,
      transitSlots: nUsed,
    });
    const { ran, counters } = await everything({ residency, policy: hostile(7), prefillChunkTokens: 64 });
    expect(ran).toEqual(truth.ran);
    expect(counters.missesFromRam).toBeGreaterThan(0);
    expect(counters.ramPoolBytes).toBeLessThanOrEqual(400_000);
  });
});
