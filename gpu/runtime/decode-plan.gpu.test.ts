/** What the decode plan promises beyond the engine: resume points, shards, and a step that waits for a missing expert. */
import { afterAll, describe, expect, test } from 'vitest';
import { TINY_ARCHITECTURES, tinyModel, type TinyModelOptions } from '../../tests/fixtures/tiny-model.ts';
import { testPlanContext, type TestContextOptions } from '../../tests/gpu/model-buffers.ts';
import { openTestDevice, sharedTestDevice } from '../../tests/gpu/node-gpu.ts';
import { readModel } from '../architectures/read-model.ts';
import type { GpuDevice } from '../device/open-device.ts';
import { BufferUsage, MapMode } from '../device/usage.ts';
import { memorySource } from '../gguf/memory-source.ts';
import { openGguf } from '../gguf/read.ts';
import { DecodePlan } from './decode-plan.ts';
import { DecodeRunner } from './decode-run.ts';
import type { PlanContext } from './plan-context.ts';

const gpu = await sharedTestDevice();
/** The kernels of the subgroup variant, which software adapters have but do not choose. */
const hardware = await openTestDevice({ asHardware: true });
afterAll(() => hardware?.dispose());

const TOKENS = Uint32Array.of(5, 42, 79, 116, 3, 9);

async function setUp(options: TinyModelOptions, context: Partial<TestContextOptions> = {}, device: GpuDevice = gpu!) {
  const model = readModel(await openGguf(memorySource('tiny.gguf', tinyModel(options))));
  const planContext = await testPlanContext(device, model, { contextTokens: 16, ...context });
  const plan = await DecodePlan.create(planContext);
  return { model, planContext, plan, runner: await DecodeRunner.create(device, plan) };
}

async function readWords(buffer: GPUBuffer, offsetBytes: number, words: number): Promise<Uint32Array> {
  const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
  const read = await gpu!.buffers.allocate({ label: 'read', sizeBytes: 4 * words, usage, account: 'staging' });
  const encoder = gpu!.device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, offsetBytes, read, 0, 4 * words);
  gpu!.device.queue.submit([encoder.finish()]);
  await read.mapAsync(MapMode.READ);
  const copy = new Uint32Array(read.getMappedRange(0, 4 * words).slice(0));
  gpu!.buffers.release(read);
  return copy;
}

function submit(plan: DecodePlan, position: number, resumeLayer?: number): void {
  const encoder = gpu!.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  plan.encode(pass, { position, step: 0, resumeLayer });
  pass.end();
  gpu!.device.queue.submit([encoder.finish()]);
}

const stateOf = ({ state }: PlanContext) => readWords(state.buffer, state.offsetBytes, 4);
const bits = (numbers: Float32Array) => new Uint32Array(numbers.buffer);

describe.skipIf(!gpu)('decode plan', () => {
  test.each(TINY_ARCHITECTURES)('%s: run again from any layer, the bits are the same', async (architecture) => {
    const { model, plan, runner } = await setUp({ architecture, type: 'Q4_0', seed: 3, nLayers: 5 }); // more rows than buffers
    const whole = bits(await runner.logits(TOKENS, 0));
    for (let layer = 0; layer < model.nLayers; layer++)
      expect(bits(await runner.logits(TOKENS, 0, layer)), `layer ${layer}`).toEqual(whole);
    runner.dispose();
    plan.dispose();
  });

  test.each(TINY_ARCHITECTURES)('%s: shards and slots change no bit', async (architecture) => {
    const options: TinyModelOptions = { architecture, type: 'Q8_0', seed: 3 };
    const one = await setUp(options);
    const many = await setUp(options, { slabShards: 2, slotSeed: 5 });
    expect(bits(await many.runner.logits(TOKENS, 0))).toEqual(bits(await one.runner.logits(TOKENS, 0)));
  });

  test.each(TINY_ARCHITECTURES)(
    '%s: the variant of hardware adds in another order, to the same numbers',
    async (architecture) => {
      const options: TinyModelOptions = { architecture, type: 'Q8_0', seed: 3 };
      const plain = await setUp(options);
      const subgroups = await setUp(options, {}, hardware!);
      const [got, want] = [await subgroups.runner.logits(TOKENS, 0), await plain.runner.logits(TOKENS, 0)];
      const error = got.reduce((sum, value, i) => sum + (value - want[i]) ** 2, 0);
      expect(error / want.reduce((sum, value) => sum + value ** 2, 0)).toBeLessThan(1e-7);
    },
  );

  test('three shards of a slab are refused with numbers', async () => {
    const three = setUp({ architecture: 'mixtral', type: 'Q8_0', seed: 3 }, { slabShards: 3 });
    await expect(three).rejects.toMatchObject({ code: 'gpu.limits', details: { shards: 3, allowedShards: 2 } });
  });

  test('a missing expert stops the step; put in place and resumed from its layer, the bits are the same', async () => {
    const { model, planContext, plan, runner } = await setUp({ architecture: 'mixtral', type: 'Q4_0', seed: 3 });
    const want = bits(await runner.logits(TOKENS, 0)).subarray((TOKENS.length - 1) * model.vocabularySize);
    const [layer, position, token] = [1, TOKENS.length - 1, TOKENS[TOKENS.length - 1]];
    const { expertRows, recordAt } = plan.activations;
    const [expert] = await readWords(expertRows.buffer, 4 * recordAt(layer), 1);
    const { ffn } = planContext.buffers.layers[layer];
    if (ffn.kind !== 'moe') throw new Error('mixtral has experts');
    const entryBytes = ffn.slab.table.offsetBytes + 4 * (ffn.slab.tableOffset + expert);
    const entry = await readWords(ffn.slab.table.buffer, entryBytes, 1);

    gpu!.device.queue.writeBuffer(ffn.slab.table.buffer, entryBytes, Uint32Array.of(0xffffffff));
    plan.setState(position, token);
    submit(plan, position);
    expect(Array.from(await stateOf(planContext))).toEqual([position, token, layer, 0]);
    const ring = plan.activations.ring(0);
    const [id, , miss] = await readWords(ring.buffer, ring.offsetBytes, 3);
    expect([id, miss]).toEqual([0xffffffff, layer]);

    gpu!.device.queue.writeBuffer(ffn.slab.table.buffer, entryBytes, new Uint32Array(entry));
    plan.setState(position, token);
    submit(plan, position, layer);
    const { logits } = plan.activations;
    expect(await readWords(logits.buffer, 0, model.vocabularySize)).toEqual(want);
    const [nextPosition, , noMiss, step] = await stateOf(planContext);
    expect([nextPosition, noMiss, step]).toEqual([position + 1, 0xffffffff, 1]);
  });

  test('encoding a token creates nothing', async () => {
    const { plan } = await setUp({ architecture: 'qwen3moe', type: 'Q4_0', seed: 3 });
    const { device } = gpu!;
    const created: string[] = [];
    const watched = ['createBindGroup', 'createBuffer', 'createComputePipeline'] as const;
    for (const name of watched) {
      Object.defineProperty(device, name, {
        configurable: true,
        value: () => {
          created.push(name);
          throw new Error(`${name} while encoding a token`);
        },
      });
    }
    try {
      plan.setState(0, 1);
      submit(plan, 0);
    } finally {
      for (const name of watched) Reflect.deleteProperty(device, name);
    }
    expect(created).toEqual([]);
    await gpu!.idle();
  });
});
