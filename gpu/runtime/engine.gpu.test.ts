/** What the engine promises its host. Logits of every type beside the f64 reference and equal bits whatever the settings: tests/engine/. */
import { describe, expect, test } from 'vitest';
import { tinyModel, type TinyModelOptions } from '../../tests/fixtures/tiny-model.ts';
import { sharedTestDevice } from '../../tests/gpu/node-gpu.ts';
import { readModel } from '../architectures/read-model.ts';
import { memorySource } from '../gguf/memory-source.ts';
import { openGguf } from '../gguf/read.ts';
import { CaseRandom } from '../kernels/cases.ts';
import { sampleRef } from '../kernels/sample/sample.ref.ts';
import { createReferenceEngine, type ReferenceResult } from '../reference/engine.ts';
import { createEngine } from './engine.ts';
import type { Engine, EngineOptions, GenerateRequest, SampledToken, SamplingSettings } from './types.ts';
import { nmse } from '../reference/nmse.ts';

const gpu = await sharedTestDevice();

const GREEDY: SamplingSettings = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };
const SAMPLED: SamplingSettings = { temperature: 1.3, topK: 50, topP: 0.95, minP: 0.01, seed: 77 };

const modelOf = async (options: TinyModelOptions) => readModel(await openGguf(memorySource('tiny.gguf', tinyModel(options))));

async function withEngine<T>(
  options: TinyModelOptions,
  settings: Omit<EngineOptions, 'model'>,
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = await createEngine(gpu!, { model: await modelOf(options), contextTokens: 64, ...settings });
  try {
    return await use(engine);
  } finally {
    engine.dispose();
  }
}

function randomTokens(seed: number, n: number, engine: Engine): Uint32Array {
  const random = new CaseRandom(seed);
  return Uint32Array.from({ length: n }, () => random.integer(engine.model.vocabularySize));
}

/**
 * Router logits that lie further apart than this are ordered alike on every device. A key or value near the middle of two f16 numbers rounds
 * to either one, which moved router logits of the tiny models by 1e-4; rounding none of them to f16 moved them by 1e-3.
 */
const CLEAR_CHOICE = 1e-2;

/** The least distance of neighbours in the order of the chosen and the first unchosen router logit, over all tokens and layers. */
function narrowestChoice({ routerLogits }: ReferenceResult, expertsUsed: number): number {
  const gaps = routerLogits.flat().flatMap((logits) => {
    const falling = Array.from(logits).sort((a, b) => b - a);
    return Array.from({ length: expertsUsed }, (_, rank) => falling[rank] - falling[rank + 1]);
  });
  return Math.min(...gaps);
}

async function collect(engine: Engine, request: Partial<GenerateRequest>) {
  const tokens: SampledToken[] = [];
  const generating = engine.generate({ maxTokens: 12, sampling: GREEDY, endIds: new Set(), ...request });
  for (;;) {
    const next = await generating.next();
    if (next.done) return { tokens, ids: tokens.map(({ id }) => id), reason: next.value };
    tokens.push(next.value);
  }
}

describe.skipIf(!gpu)('engine', () => {
  test('a context of several splits', async () => {
    await withEngine({ architecture: 'qwen3moe', type: 'Q8_0', seed: 3 }, { contextTokens: 600 }, async (engine) => {
      const tokens = randomTokens(8, 530, engine);
      const [got, want] = [await engine.decodeLogits(tokens), await createReferenceEngine(engine.model).logits(tokens)];
      const { vocabularySize } = engine.model;
      for (const position of [0, 255, 256, 257, 511, 512, 529]) {
        const row = [position * vocabularySize, (position + 1) * vocabularySize] as const;
        expect(nmse(want.subarray(...row), got.subarray(...row)), `position ${position}`).toBeLessThan(1e-6);
      }
    });
  });

  test('sampled ids are the reference sampler applied to the decode logits', async () => {
    await withEngine({ architecture: 'mixtral', type: 'Q8_0', seed: 3 }, {}, async (engine) => {
      const tokens = Array.from(randomTokens(9, 6, engine));
      await engine.prefill(tokens);
      const { ids } = await collect(engine, { sampling: SAMPLED });
      const fed = [...tokens, ...ids.slice(0, -1)];
      const { vocabularySize } = engine.model;
      const logits = await engine.decodeLogits(fed);
      const drawn = ids.map((_, i) => {
        const position = tokens.length + i;
        return sampleRef(logits.subarray((position - 1) * vocabularySize, position * vocabularySize), SAMPLED, position);
      });
      expect(ids).toEqual(drawn);
    });
  });

  test('the routing record is that of the reference', async () => {
    await withEngine({ architecture: 'olmoe', type: 'F16', seed: 3 }, { tokensInFlight: 2 }, async (engine) => {
      const tokens = randomTokens(10, 5, engine);
      await engine.prefill(tokens);
      const { tokens: sampled, ids } = await collect(engine, { routing: true, maxTokens: 5 });
      const want = await createReferenceEngine(engine.model).run([...tokens, ...ids]);
      expect(narrowestChoice(want, 2)).toBeGreaterThan(CLEAR_CHOICE);
      const { routing } = want;
      const perToken = routing.length / (tokens.length + ids.length);
      sampled.forEach((token, i) => {
        const step = tokens.length - 1 + i;
        expect(token.routing, `step ${i}`).toEqual(routing.slice(step * perToken, (step + 1) * perToken));
        expect(token.position).toBe(tokens.length + i);
      });
    });
  });

  test('ends: an end token is reported, the context fills, an abort stops; the sequence goes on from there', async () => {
    await withEngine(
      { architecture: 'llama', type: 'Q4_1', seed: 3 },
      { tokensInFlight: 4, contextTokens: 24 },
      async (engine) => {
        const tokens = randomTokens(11, 8, engine);
        await engine.prefill(tokens);
        const whole = await collect(engine, { maxTokens: 100 });
        expect(whole.reason).toBe('context-full');
        expect(engine.position).toBe(24);
        expect(whole.tokens.at(-1)!.position).toBe(24);

        const endId = whole.ids.find((id, i) => i >= 2 && whole.ids.indexOf(id) === i)!;
        const endAt = whole.ids.indexOf(endId);
        engine.truncate(0);
        await engine.prefill(tokens);
        const ended = await collect(engine, { endIds: new Set([endId]) });
        expect(ended).toMatchObject({ reason: 'end-token', ids: whole.ids.slice(0, endAt + 1) });
        expect(engine.position).toBe(tokens.length + endAt);

        const rest = await collect(engine, { maxTokens: 3 });
        expect(rest.ids).toEqual(whole.ids.slice(endAt + 1, endAt + 4));

        engine.truncate(0);
        await engine.prefill(tokens);
        const abort = new AbortController();
        const cut: number[] = [];
        const generating = engine.generate({ maxTokens: 100, sampling: GREEDY, endIds: new Set(), signal: abort.signal });
        let next = await generating.next();
        while (!next.done) {
          cut.push(next.value.id);
          if (cut.length === 2) abort.abort();
          next = await generating.next();
        }
        expect(next.value).toBe('cancelled');
        expect(cut).toEqual(whole.ids.slice(0, cut.length));
        expect(cut.length).toBeLessThan(whole.ids.length);
        expect((await collect(engine, { maxTokens: 2 })).ids).toEqual(whole.ids.slice(cut.length, cut.length + 2));
      },
    );
  });

  test('prefill in pieces and after an answer continues the sequence', async () => {
    await withEngine({ architecture: 'qwen2moe', type: 'Q8_0', seed: 3 }, {}, async (engine) => {
      const [first, second] = [randomTokens(12, 7, engine), randomTokens(13, 5, engine)];
      await engine.prefill(first);
      const { ids } = await collect(engine, { maxTokens: 3 });
      await engine.prefill(second);
      expect(engine.position).toBe(first.length + ids.length + second.length - 1);
      const answer = await collect(engine, { maxTokens: 4 });
      const whole = [...first, ...ids, ...second];
      expect(answer.ids).toEqual(await createReferenceEngine(engine.model).generateGreedy(whole, 4));
      engine.truncate(3);
      expect(engine.position).toBe(3);
      await engine.prefill(whole.slice(3));
      expect((await collect(engine, { maxTokens: 4 })).ids).toEqual(answer.ids);
    });
  });

  test.each(['mixtral', 'gpt-oss'] as const)('%s: counters, memory and limits', async (architecture) => {
    const before = gpu!.buffers.totalBytes;
    await withEngine({ architecture, type: 'Q4_0', seed: 3 }, { tokensInFlight: 4, contextTokens: 32 }, async (engine) => {
      await engine.prefill(randomTokens(14, 5, engine));
      await collect(engine, { maxTokens: 8 });
      const counters = engine.counters();
      expect(counters.decodeTokens).toBe(8);
      expect(counters.decodeDispatches).toBe(8 * (6 * engine.model.nLayers + 3));
      expect(counters.decodeReadbacks).toBe(2);
      expect(counters.weightBytesTouched / counters.weightBytesRequired).toBeLessThan(1.01);
      expect(counters.weightBytesTouched).toBeGreaterThanOrEqual(counters.weightBytesRequired);
      expect(engine.memory().totalBytes).toBe(gpu!.buffers.totalBytes);
      await expect(engine.prefill(new Uint32Array(40))).rejects.toMatchObject({ code: 'engine.context-full' });
    });
    expect(gpu!.buffers.totalBytes).toBe(before);
    const tooMany = withEngine({ architecture, type: 'Q4_0', seed: 3 }, { expertsUsed: 99 }, async () => undefined);
    await expect(tooMany).rejects.toMatchObject({ code: 'model.metadata' });
    expect(gpu!.buffers.totalBytes).toBe(before);
  });

  test('fewer experts than the model wants', async () => {
    await withEngine({ architecture: 'olmoe', type: 'F32', seed: 3 }, { expertsUsed: 1 }, async (engine) => {
      const tokens = randomTokens(20, 8, engine);
      const want = await createReferenceEngine(engine.model, { expertsUsed: 1 }).run(tokens);
      expect(narrowestChoice(want, 1)).toBeGreaterThan(CLEAR_CHOICE);
      const got = await engine.decodeLogits(tokens);
      const { vocabularySize } = engine.model;
      for (let position = 0; position < tokens.length; position++) {
        const row = [position * vocabularySize, (position + 1) * vocabularySize] as const;
        expect(nmse(want.logits.subarray(...row), got.subarray(...row)), `position ${position}`).toBeLessThan(1e-6);
      }
    });
  });
});
