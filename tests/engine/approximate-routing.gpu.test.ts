/** Cache-aware routing in the engine: what it prefers, what it counts, and that it is exact wherever there is nothing to prefer. */
import { describe, expect, test } from 'vitest';
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import type { EngineOptions, SampledToken } from '../../gpu/runtime/types.ts';
import { planOf, slotted, STREAMED } from './plans.ts';
import { generate, gpu, GREEDY, someTokens, tinySpec, withEngine } from './setup.ts';

const K = 2;
const N_TOKENS = 24;
/** Above every difference of logits: whoever has a slot is chosen. */
const HUGE = 1e6;
/** Below half a unit in the last place of any logit: changes no sum. */
const NOTHING = 1e-30;

describe.skipIf(!gpu)('cache-aware routing', { timeout: 180_000 }, async () => {
  const model = gpu ? await tinySpec({ architecture: 'qwen3moe', type: 'Q8_0', nLayers: 3 }) : (null as unknown as ModelSpec);
  const half = gpu ? planOf(model, [slotted(4)]) : undefined;

  const run = (options: Omit<EngineOptions, 'model'>) =>
    withEngine(model, { contextTokens: 64, ...options }, async (engine) => {
      await engine.prefill(someTokens(model, 9));
      const tokens = await generate(engine, N_TOKENS, GREEDY, { routing: true });
      return { tokens, counters: engine.residency() };
    });
  const texts = (tokens: readonly SampledToken[]) => tokens.map(({ id, routing }) => [id, ...routing!]);

  test('a margin above everything: nothing is ever missed, and the slots stay as they are', async () => {
    const { tokens, counters } = await run({ residency: half, approximateRouting: HUGE });
    expect(counters).toMatchObject({ hits: N_TOKENS * model.nLayers * K, missesFromDisk: 0, missesFromRam: 0, evictions: 0 });
    expect(counters.substitutes).toBeGreaterThan(0);
    expect(Math.max(...tokens.flatMap(({ routing }) => [...routing!]))).toBeLessThan(4); // the first four had the slots
    expect(texts((await run({ residency: half, approximateRouting: HUGE })).tokens)).toEqual(texts(tokens));
  });

  test.each([
    ['a margin that changes no sum', { residency: half, approximateRouting: NOTHING }],
    ['off', { residency: half, approximateRouting: 0 }],
    ['all experts have slots', { approximateRouting: HUGE }],
    ['no layer keeps a slot', { residency: gpu ? planOf(model, [STREAMED]) : undefined, approximateRouting: HUGE }],
  ])('exact: %s', async (_, options) => {
    const { tokens, counters } = await run(options);
    expect(texts(tokens)).toEqual(texts((await run({})).tokens));
    expect(counters.substitutes).toBe(0);
  });

  test.each([1, 2, Infinity])('looking every %s layers: fewer misses than exact, the uses add up', async (missReach) => {
    const exact = await run({ residency: half, missReach });
    const bent = await run({ residency: half, missReach, approximateRouting: 1 });
    expect(bent.counters.missesFromDisk).toBeLessThan(exact.counters.missesFromDisk);
    expect(bent.counters.hits + bent.counters.missesFromDisk).toBe(N_TOKENS * model.nLayers * K);
    expect(bent.counters.substitutes).toBeGreaterThan(0);
  });

  test('substitutes are those whom exact routing did not choose', async () => {
    // In the first layer nothing depends on earlier choices: the same tokens give both engines the same logits.
    const single = await tinySpec({ architecture: 'mixtral', type: 'Q8_0', nLayers: 1 });
    const choices = (options: Omit<EngineOptions, 'model'>) =>
      withEngine(single, { contextTokens: 64, ...options }, async (engine) => {
        const sets: number[][] = [];
        for (let n = 1; n <= N_TOKENS; n++) {
          engine.truncate(0);
          await engine.prefill(someTokens(single, n));
          sets.push([...(await generate(engine, 1, GREEDY, { routing: true }))[0].routing!]);
        }
        return { sets, counters: engine.residency() };
      });
    const exact = await choices({});
    for (const margin of [0.3, HUGE]) {
      const { sets, counters } = await choices({ residency: planOf(single, [slotted(4)]), approximateRouting: margin });
      const others = sets.flatMap((set, i) => set.filter((id) => !exact.sets[i].includes(id)));
      expect(counters.substitutes).toBe(others.length);
      expect(others.length).toBeGreaterThan(0);
    }
  });
});
