/** The type of keys and values is a numeric setting: it changes results as the reference says, and nothing else changes them. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import { createReferenceEngine } from '../../gpu/reference/engine.ts';
import { nmse } from '../../gpu/reference/nmse.ts';
import { createEngine } from '../../gpu/runtime/engine.ts';
import { allKv, bits, generate, gpu, GREEDY, someTokens, tinySpec, withEngine } from './setup.ts';

const N_TOKENS = 40;
/** Compiling attention for two capacities takes a minute on a busy machine with a software adapter. */
const TIMEOUT_MS = 180_000;

describe.skipIf(!gpu).each(['q8_0', 'f32'] as const)('%s', (kvType) => {
  let model: ModelSpec;
  let tokens: number[];
  beforeAll(async () => {
    model = await tinySpec({ architecture: 'qwen3moe', type: 'Q8_0', headWidth: 32 });
    tokens = someTokens(model, N_TOKENS);
  });

  const everything = (options: Parameters<typeof withEngine>[1]) =>
    withEngine(model, { contextTokens: 64, kvType, ...options }, async (engine) => {
      const logits = bits(await engine.logits(tokens));
      engine.truncate(0);
      await engine.prefill(tokens);
      const kv = await allKv(engine, N_TOKENS - 1);
      const greedy = (await generate(engine, 12, GREEDY)).map(({ id }) => id);
      return { logits, kv, greedy };
    });

  test(
    'chunks, capacity and tokens in flight change no bit',
    async () => {
      const plain = await everything({});
      for (const options of [
        { prefillChunkTokens: 1, tokensInFlight: 2 },
        { prefillChunkTokens: 7, tokensInFlight: 4, contextTokens: 53 },
      ])
        expect(await everything(options), JSON.stringify(options)).toEqual(plain);
    },
    TIMEOUT_MS,
  );

  test('prefill and decode are near the reference that rounds the same way', async () => {
    const want = await createReferenceEngine(model, { kvRounding: kvType }).logits(tokens);
    const unrounded = await createReferenceEngine(model, { kvRounding: 'none' }).logits(tokens);
    await withEngine(model, { contextTokens: 64, kvType }, async (engine) => {
      for (const got of [await engine.logits(tokens), await engine.decodeLogits(tokens)]) {
        const error = nmse(want, got);
        console.log(`${kvType}: NMSE ${error.toExponential(2)}; without rounding ${nmse(unrounded, got).toExponential(2)}`);
        expect(error).toBeLessThan(kvType === 'f32' ? 1e-10 : nmse(unrounded, want) / 4);
      }
    });
  });
});

test.skipIf(!gpu)('heads that are no whole blocks are refused by their width before anything is loaded', async () => {
  const model = await tinySpec({ architecture: 'llama', type: 'Q8_0', headWidth: 16 });
  const before = gpu!.buffers.totalBytes;
  await expect(createEngine(gpu!, { model, contextTokens: 64, kvType: 'q8_0' })).rejects.toMatchObject({
    code: 'engine.kv-type',
    details: { headWidth: 16, kvType: 'q8_0' },
  });
  expect(gpu!.buffers.totalBytes).toBe(before);
});
