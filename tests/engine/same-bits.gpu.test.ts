/** The numerics rule (gpu/README.md): slots, chunks, tokens in flight and capacity never change a bit of a result. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import { createReferenceEngine } from '../../gpu/reference/engine.ts';
import { allKv, bits, generate, gpu, GREEDY, someTokens, tinySpec, withEngine } from './setup.ts';

const N_TOKENS = 70;
const SAMPLED = { temperature: 0.9, topK: 40, topP: 0.95, minP: 0.02, seed: 1234 };

describe.skipIf(!gpu).each(['llama', 'mixtral', 'qwen2moe', 'qwen3moe', 'olmoe'] as const)('%s', (architecture) => {
  let model: ModelSpec;
  let tokens: number[];
  beforeAll(async () => {
    model = await tinySpec({ architecture, type: architecture === 'mixtral' ? 'Q4_0' : 'Q8_0' });
    tokens = someTokens(model, N_TOKENS);
  });

  /** Everything that must not change: logits both ways, KV of the prompt, sampled and greedy ids. */
  const everything = (options: Parameters<typeof withEngine>[1]) =>
    withEngine(model, { contextTokens: 128, ...options }, async (engine) => {
      const logits = bits(await engine.logits(tokens));
      const decoded = bits(await engine.decodeLogits(tokens.slice(0, 8)));
      engine.truncate(0);
      await engine.prefill(tokens);
      const kv = await allKv(engine, N_TOKENS - 1);
      const sampled = (await generate(engine, 12, SAMPLED)).map(({ id }) => id);
      engine.truncate(0);
      await engine.prefill(tokens);
      const greedy = (await generate(engine, 12, GREEDY)).map(({ id }) => id);
      return { logits, decoded, kv, sampled, greedy };
    });

  test('slots, chunks, capacity, tokens in flight', async () => {
    const plain = await everything({});
    expect(plain.sampled.length).toBe(12);
    for (const options of [
      { prefillChunkTokens: 1, slotPermutationSeed: 99, tokensInFlight: 2 },
      { prefillChunkTokens: 7, tokensInFlight: 1 },
      { prefillChunkTokens: 64, tokensInFlight: 3, contextTokens: 83 },
      { prefillChunkTokens: 256, tokensInFlight: 4, contextTokens: 300 },
    ])
      expect(await everything(options), JSON.stringify(options)).toEqual(plain);
  });

  test('greedy ids are those of the reference; the routing record is its routing', async () => {
    const prompt = tokens.slice(0, 10);
    const reference = createReferenceEngine(model);
    const ids = await reference.generateGreedy(prompt, 8);
    const { routing } = await reference.run([...prompt, ...ids.slice(0, -1)]);
    const perToken = routing.length / (prompt.length + ids.length - 1);
    await withEngine(model, { contextTokens: 64 }, async (engine) => {
      await engine.prefill(prompt);
      const got = await generate(engine, 8, GREEDY, { routing: true });
      expect(got.map(({ id }) => id)).toEqual(ids);
      expect(got.map(({ position }) => position)).toEqual(ids.map((_, i) => prompt.length + i));
      const steps = routing.subarray((prompt.length - 1) * perToken);
      expect(got.flatMap((token) => [...(token.routing ?? [])])).toEqual([...steps]);
    });
  });

  test('going back and generating again gives the same ids; another seed gives others', async () => {
    await withEngine(model, { contextTokens: 128 }, async (engine) => {
      const run = async (seed: number) => {
        engine.truncate(0);
        await engine.prefill(tokens.slice(0, 20));
        return (await generate(engine, 20, { ...SAMPLED, temperature: 2, topK: 0, topP: 1, seed })).map(({ id }) => id);
      };
      const first = await run(5);
      expect(await run(5)).toEqual(first);
      expect(await run(6)).not.toEqual(first);
    });
  });
});
