/** The prefill plan on a device: equal bits for every chunk size, slot order and sharding; near the f64 reference for every model. */
import { describe, expect, test } from 'vitest';
import { tinyModel, TINY_ARCHITECTURES, type TinyModelOptions } from '../../tests/fixtures/tiny-model.ts';
import { testPlanContext, type TestContextOptions } from '../../tests/gpu/model-buffers.ts';
import { sharedTestDevice } from '../../tests/gpu/node-gpu.ts';
import { readModel } from '../architectures/read-model.ts';
import { BufferUsage, MapMode } from '../device/usage.ts';
import { memorySource } from '../gguf/memory-source.ts';
import { openGguf } from '../gguf/read.ts';
import { CaseRandom } from '../kernels/cases.ts';
import { f16ToF32 } from '../quant/half.ts';
import { TYPES } from '../kernels/prefill-shared/case-helpers.ts';
import { createReferenceEngine } from '../reference/engine.ts';
import type { PlanContext } from './plan-context.ts';
import { createPrefillPlan } from './prefill-plan.ts';
import type { PrefillRouting } from './types.ts';
import { nmse } from '../reference/nmse.ts';

const gpu = await sharedTestDevice();

const modelOf = async (options: TinyModelOptions) => readModel(await openGguf(memorySource('tiny.gguf', tinyModel(options))));

function randomTokens(seed: number, n: number, vocabularySize: number): Uint32Array {
  const random = new CaseRandom(seed);
  return Uint32Array.from({ length: n }, () => random.integer(vocabularySize));
}

async function readWords(buffer: GPUBuffer): Promise<Uint32Array> {
  const { device } = gpu!;
  const read = device.createBuffer({ size: buffer.size, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, read, 0, buffer.size);
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(MapMode.READ);
  const words = new Uint32Array(read.getMappedRange().slice(0));
  read.destroy();
  return words;
}

/** Keys and values of all layers, one after another. */
async function readKv(context: PlanContext): Promise<Uint32Array[]> {
  return Promise.all(context.buffers.layers.flatMap(({ keys, values }) => [keys, values]).map(({ buffer }) => readWords(buffer)));
}

interface Outcome {
  readonly logits: Uint32Array;
  readonly kv: Uint32Array[];
}

async function prefill(
  options: TinyModelOptions,
  setup: TestContextOptions,
  chunkTokens: number,
  nTokens: number,
): Promise<Outcome> {
  const model = await modelOf(options);
  const context = await testPlanContext(gpu!, model, setup);
  const plan = await createPrefillPlan(context, chunkTokens);
  const logits = (await plan.run(randomTokens(5, nTokens, model.vocabularySize), 0, { logits: true }))!;
  expect(logits.every(Number.isFinite)).toBe(true);
  plan.dispose();
  return { logits: new Uint32Array(logits.buffer), kv: await readKv(context) };
}

describe.skipIf(!gpu)('prefill plan', () => {
  const N_TOKENS = 70; // several chunks of 7 and 64 with tails, several key tiles and matmul tiles
  const context = { contextTokens: 80 };

  describe.each(TINY_ARCHITECTURES)('%s', (architecture) => {
    const options: TinyModelOptions = { architecture, type: 'Q4_0', seed: 3 };
    let whole: Outcome;

    test('chunks of 1, 7 and 64 give the bits of one chunk of 256', async () => {
      whole = await prefill(options, context, 256, N_TOKENS);
      for (const chunkTokens of [1, 7, 64]) {
        const chunked = await prefill(options, context, chunkTokens, N_TOKENS);
        expect(chunked.logits, `logits, chunks of ${chunkTokens}`).toEqual(whole.logits);
        expect(chunked.kv, `KV, chunks of ${chunkTokens}`).toEqual(whole.kv);
      }
    });

    test('slots permuted over three shards and matrices in two give the same bits', async () => {
      const permuted = await prefill(options, { ...context, slabShards: 3, matrixShards: 2, slotSeed: 11 }, 64, N_TOKENS);
      expect(permuted).toEqual(whole);
    });

    test('context capacity changes no logits', async () => {
      const longer = await prefill(options, { contextTokens: 131 }, 64, N_TOKENS);
      expect(longer.logits).toEqual(whole.logits);
    });

    // Many types in one architecture; tests/engine/ has all.
    const types = architecture === 'mixtral' ? TYPES : (['F32'] as const);
    test.each(types)('%s: logits, keys and routing are those of the f64 reference', async (type) => {
      const model = await modelOf({ architecture, type, seed: 4 });
      const nTokens = 24;
      const planContext = await testPlanContext(gpu!, model, { contextTokens: 32 });
      const plan = await createPrefillPlan(planContext, 10);
      const tokens = randomTokens(6, nTokens, model.vocabularySize);
      const chunks: PrefillRouting[] = [];
      const onRouting = (chunk: PrefillRouting) => void chunks.push(chunk);
      const logits = (await plan.run(tokens, 0, { logits: true, onRouting }))!;
      plan.dispose();
      const sequence = createReferenceEngine(model).sequence(32);
      const want = await sequence.append(tokens);
      expect(nmse(want.logits, logits)).toBeLessThan(1e-6);
      for (let t = 0; t < nTokens; t++) {
        const row = [t * model.vocabularySize, (t + 1) * model.vocabularySize] as const;
        expect(nmse(want.logits.subarray(...row), logits.subarray(...row)), `position ${t}`).toBeLessThan(1e-6);
      }
      expect(nmse(sequence.cache(1).keys, kvRows(await readWords(planContext.buffers.layers[1].keys.buffer)))).toBeLessThan(1e-6);
      expect(routingByToken(chunks)).toEqual(want.routing);
    });
  });

  test('a sequence continues at any position, and progress is told', async () => {
    const model = await modelOf({ architecture: 'qwen3moe', type: 'Q8_0', seed: 3 });
    const planContext = await testPlanContext(gpu!, model, context);
    const plan = await createPrefillPlan(planContext, 16);
    const tokens = randomTokens(5, N_TOKENS, model.vocabularySize);
    const atOnce = (await plan.run(tokens, 0, { logits: true }))!;
    const progress: number[] = [];
    await plan.run(tokens.subarray(0, 37), 0, { onProgress: (done) => progress.push(done) });
    const rest = (await plan.run(tokens.subarray(37), 37, { logits: true }))!;
    expect(progress).toEqual([16, 32, 37]);
    expect(rest).toEqual(atOnce.subarray(37 * model.vocabularySize));
    expect(plan.totals.tokens).toBe(2 * N_TOKENS);
    plan.dispose();
  });

  test('a cancelled run rejects, and the plan goes on to work', async () => {
    const model = await modelOf({ architecture: 'mixtral', type: 'F16', seed: 3 });
    const plan = await createPrefillPlan(await testPlanContext(gpu!, model, context), 8);
    const tokens = randomTokens(5, N_TOKENS, model.vocabularySize);
    const controller = new AbortController();
    const run = plan.run(tokens, 0, { signal: controller.signal, onProgress: (done) => done >= 16 && controller.abort() });
    await expect(run).rejects.toMatchObject({ code: 'engine.cancelled' });
    expect(plan.totals.tokens).toBeLessThan(N_TOKENS);
    expect(await plan.run(tokens.subarray(0, 3), 0, { logits: true })).toHaveLength(3 * model.vocabularySize);
    plan.dispose();
  });

  test('fewer experts than the model wants', async () => {
    const model = await modelOf({ architecture: 'mixtral', type: 'F32', seed: 9 });
    const plan = await createPrefillPlan(await testPlanContext(gpu!, model, { contextTokens: 16, expertsUsed: 1 }), 16);
    const tokens = randomTokens(5, 12, model.vocabularySize);
    const logits = (await plan.run(tokens, 0, { logits: true }))!;
    plan.dispose();
    expect(nmse(await createReferenceEngine(model, { expertsUsed: 1 }).logits(tokens), logits)).toBeLessThan(1e-6);
  });

  test('what a plan allocates is given back', async () => {
    const model = await modelOf({ architecture: 'qwen2moe', type: 'Q4_1', seed: 3 });
    const planContext = await testPlanContext(gpu!, model, context);
    const before = gpu!.buffers.ledger();
    const plan = await createPrefillPlan(planContext, 32);
    await plan.run(randomTokens(5, 9, model.vocabularySize), 0, { logits: true, onRouting: () => undefined });
    expect(gpu!.buffers.totalBytes).toBeGreaterThan(before.totalBytes);
    plan.dispose();
    expect({ ...gpu!.buffers.ledger(), peakBytes: 0 }).toEqual({ ...before, peakBytes: 0 });
  });
});

/** f16 words → numbers, in order. */
function kvRows(words: Uint32Array): Float64Array {
  return Float64Array.from(new Uint16Array(words.buffer), f16ToF32);
}

/** [n, MoE layers, K], as the reference gives it. */
function routingByToken(chunks: readonly PrefillRouting[]): Uint16Array {
  const N_LAYERS = 2;
  const rows = chunks.flatMap(({ ids, nTokens }) => {
    const nUsed = ids.length / (N_LAYERS * nTokens);
    return Array.from({ length: nTokens }, (_, t) =>
      Array.from({ length: N_LAYERS }, (__, l) =>
        Array.from(ids.subarray((l * nTokens + t) * nUsed, (l * nTokens + t + 1) * nUsed)),
      ),
    );
  });
  return Uint16Array.from(rows.flat(2));
}
