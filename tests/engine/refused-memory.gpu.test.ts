/** A GPU that refuses what the plan takes, in whatever part of the model: the plan is made smaller until it fits, and says what the engine has. */
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../gpu/runtime/engine.ts';
import { createPlannedEngine } from '../../gpu/runtime/planned-engine.ts';
import type { GpuDevice } from '../../gpu/device/open-device.ts';
import { withRoomFor } from './limited-gpu.ts';
import { generate, gpu, GREEDY, someTokens, tinySpec, withEngine } from './setup.ts';

const CONTEXT_TOKENS = 64;
/** Known, so that nothing is measured. */
const LINKS = {
  adapter: gpu?.capabilities.description ?? '',
  tensorType: 'Q4_0',
  uploadBytesPerSecond: 1e9,
  readbackMs: 0.2,
  computeBytesPerSecond: 1e9,
  dispatchMs: 0.01,
  diskBytesPerSecond: 1e9,
};
const REQUEST = {
  gpuBudget: { bytes: 2 ** 30 },
  ramBudget: { bytes: 0 },
  context: { tokens: CONTEXT_TOKENS, fixed: true },
  surroundings: { ramFreeBytes: 2 ** 32, ramTotalBytes: 2 ** 33, links: [LINKS] },
  options: {},
  create: createEngine,
};

describe.skipIf(!gpu)('refused memory', () => {
  const model = () => tinySpec({ architecture: 'mixtral', type: 'Q4_0', nLayers: 2, nExperts: 16 });

  test('half of what the plan takes: the next plan that fits, the same ids', async () => {
    const spec = await model();
    const prompt = someTokens(spec, 6);
    const answer = async (engine: Parameters<typeof generate>[0]) => {
      await engine.prefill(prompt);
      return (await generate(engine, 6, GREEDY)).map(({ id }) => id);
    };
    let neededBytes = 0;
    const truth = await withEngine(spec, { contextTokens: CONTEXT_TOKENS }, async (engine) => {
      neededBytes = engine.memory().totalBytes;
      return answer(engine);
    });
    const before = gpu!.buffers.totalBytes;
    const { plan, engine } = await createPlannedEngine(withRoomFor(gpu!, { totalBytes: neededBytes / 2 }), spec, REQUEST);
    expect(plan.layers.resident).toBe(0);
    expect(plan.contextTokens).toBe(CONTEXT_TOKENS);
    expect(plan.reasons[0]).toMatchObject({ topic: 'gpu budget', why: expect.stringContaining('refused') as string });
    const { weightsBytes, expertsBytes, kvBytes, totalBytes } = plan.gpu;
    const held = engine.memory();
    expect(held).toMatchObject({ weightsBytes, expertsBytes, kvBytes });
    expect(held.totalBytes).toBeLessThanOrEqual(totalBytes);
    expect(held.totalBytes).toBeLessThanOrEqual(neededBytes / 2);
    expect(await answer(engine)).toEqual(truth);
    engine.dispose();
    expect(gpu!.buffers.totalBytes).toBe(before);
  });

  test('without a planner: fewer slots, whatever was refused', async () => {
    const spec = await model();
    const neededBytes = await withEngine(spec, { contextTokens: CONTEXT_TOKENS }, async (engine) => engine.memory().totalBytes);
    const before = gpu!.buffers.totalBytes;
    const engine = await createEngine(withRoomFor(gpu!, { totalBytes: 0.6 * neededBytes }), {
      model: spec,
      contextTokens: CONTEXT_TOKENS,
    });
    expect(engine.memory().totalBytes).toBeLessThanOrEqual(0.6 * neededBytes);
    engine.dispose();
    expect(gpu!.buffers.totalBytes).toBe(before);
  });

  test('less than the least plan: a typed error, and nothing stays', async () => {
    const spec = await model();
    const before = gpu!.buffers.totalBytes;
    const refused = (device: GpuDevice) => createPlannedEngine(device, spec, REQUEST);
    await expect(refused(withRoomFor(gpu!, { totalBytes: 50_000 }))).rejects.toMatchObject({ code: 'gpu.out-of-memory' });
    expect(gpu!.buffers.totalBytes).toBe(before);
  });
});
