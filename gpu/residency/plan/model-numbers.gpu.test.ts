/** What the planner adds up beside what an engine really holds, account by account, to the byte: all experts resident, every architecture; and under budgets. */
import { expect, test } from 'vitest';
import { TINY_ARCHITECTURES, tinyModel, type TinyModelOptions } from '../../../tests/fixtures/tiny-model.ts';
import { sharedTestDevice } from '../../../tests/gpu/node-gpu.ts';
import { readModel } from '../../architectures/read-model.ts';
import { memorySource } from '../../gguf/memory-source.ts';
import { openGguf } from '../../gguf/read.ts';
import type { KvType } from '../../quant/kv-types.ts';
import { createEngine } from '../../runtime/engine.ts';
import { modelNumbers } from './model-numbers.ts';
import { leastGpuBytes, planOffload } from './plan.ts';
import type { MachineFigures } from './types.ts';

const gpu = await sharedTestDevice();

const GREEDY = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };
const MACHINE: MachineFigures = {
  unifiedMemory: true,
  software: true,
  gpuFreeBytes: 2 ** 32,
  ramFreeBytes: 2 ** 34,
  ramTotalBytes: 2 ** 34,
  diskBytesPerSecond: null,
  uploadBytesPerSecond: null,
  readbackMs: null,
  computeBytesPerSecond: null,
  dispatchMs: null,
};

const cases: (TinyModelOptions & { context?: number; kvType?: KvType })[] = [
  ...TINY_ARCHITECTURES.map((architecture) => ({ architecture, type: 'Q8_0' as const, seed: 5 })),
  { architecture: 'mixtral', type: 'Q4_K', otherType: 'Q6_K', seed: 6, nLayers: 3, tiedHead: true },
  { architecture: 'qwen3moe', type: 'Q4_0', seed: 7, nExperts: 16, nExpertsUsed: 4, context: 300 },
  { architecture: 'llama', type: 'F16', seed: 8, ropeFactors: true, context: 64 },
  { architecture: 'mixtral', type: 'Q8_0', seed: 12, headWidth: 32, context: 301, kvType: 'q8_0' },
  { architecture: 'llama', type: 'Q8_0', seed: 13, context: 64, kvType: 'f32' },
];

test.runIf(gpu).each(cases)('$architecture in $type', async ({ context = 512, kvType, ...options }) => {
  const model = readModel(await openGguf(memorySource('tiny.gguf', tinyModel(options))));
  const plan = planOffload(modelNumbers(model, gpu!.capabilities, { kvType }), {
    budgets: { gpuBytes: null, ramBytes: null },
    machine: MACHINE,
    context: { tokens: context, fixed: true },
  });
  const before = gpu!.buffers.totalBytes;
  const engine = await createEngine(gpu!, { model, contextTokens: context, kvType, prefillChunkTokens: plan.prefillChunkTokens });
  try {
    const { weightsBytes, expertsBytes, kvBytes, activationsBytes, stagingBytes, totalBytes } = plan.gpu;
    expect(before).toBe(0);
    expect(engine.memory()).toMatchObject({ weightsBytes, expertsBytes, kvBytes, activationsBytes, stagingBytes, totalBytes });
  } finally {
    engine.dispose();
  }
});

/** Under a budget: three sizes between the floor and everything, and the floor itself. */
const budgeted: TinyModelOptions[] = [
  { architecture: 'mixtral', type: 'Q4_0', seed: 9, nLayers: 4, nExperts: 16, nExpertsUsed: 2 },
  { architecture: 'qwen2moe', type: 'Q8_0', seed: 10, nLayers: 3, nExperts: 16, nExpertsUsed: 2 },
  { architecture: 'mixtral', type: 'Q4_K', otherType: 'Q6_K', seed: 11, nLayers: 3, nExperts: 8, nExpertsUsed: 2 },
];

test.runIf(gpu).each(budgeted)('$architecture in $type under budgets', async (options) => {
  const model = readModel(await openGguf(memorySource('tiny.gguf', tinyModel(options))));
  const numbers = modelNumbers(model, gpu!.capabilities);
  const context = { tokens: 128, fixed: true };
  const planWith = (gpuBytes: number | null) =>
    planOffload(numbers, { budgets: { gpuBytes, ramBytes: 0 }, machine: MACHINE, context });
  const all = planWith(null).gpu.totalBytes;
  const least = leastGpuBytes(numbers, context.tokens);
  for (const share of [0, 0.3, 0.6, 0.9]) {
    const plan = planWith(Math.floor(least + share * (all - least)));
    const engine = await createEngine(gpu!, {
      model,
      contextTokens: plan.contextTokens,
      prefillChunkTokens: plan.prefillChunkTokens,
      residency: plan.residency,
    });
    try {
      await engine.prefill([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      const generating = engine.generate({ maxTokens: 3, sampling: GREEDY, endIds: new Set() });
      while (!(await generating.next()).done);
      const { weightsBytes, kvBytes, expertsBytes, ...rest } = engine.memory();
      const where = `share ${share}: ${JSON.stringify(plan.layers)}`;
      expect({ weightsBytes, kvBytes, expertsBytes }, where).toEqual({
        weightsBytes: plan.gpu.weightsBytes,
        kvBytes: plan.gpu.kvBytes,
        expertsBytes: plan.gpu.expertsBytes,
      });
      // Bounds: uniforms are counted as for slotted layers, staging as for the largest expert of all layers.
      expect(rest.totalBytes, where).toBeGreaterThanOrEqual(0.98 * plan.gpu.totalBytes);
      expect(rest.totalBytes, where).toBeLessThanOrEqual(plan.gpu.totalBytes);
    } finally {
      await engine.stop();
      engine.dispose();
    }
  }
});
