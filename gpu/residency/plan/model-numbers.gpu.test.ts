/** What the planner adds up beside what an engine really holds, account by account, to the byte: all experts resident, every architecture. */
import { afterAll, expect, test } from 'vitest';
import { TINY_ARCHITECTURES, tinyModel, type TinyModelOptions } from '../../../tests/fixtures/tiny-model.ts';
import { openTestDevice } from '../../../tests/gpu/node-gpu.ts';
import { readModel } from '../../architectures/read-model.ts';
import { memorySource } from '../../gguf/memory-source.ts';
import { openGguf } from '../../gguf/read.ts';
import { createEngine } from '../../runtime/engine.ts';
import { modelNumbers } from './model-numbers.ts';
import { planOffload } from './plan.ts';
import type { MachineFigures } from './types.ts';

const gpu = await openTestDevice({ portableLimits: true });
afterAll(() => gpu?.dispose());

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

const cases: (TinyModelOptions & { context?: number })[] = [
  ...TINY_ARCHITECTURES.map((architecture) => ({ architecture, type: 'Q8_0' as const, seed: 5 })),
  { architecture: 'mixtral', type: 'Q4_K', otherType: 'Q6_K', seed: 6, nLayers: 3, tiedHead: true },
  { architecture: 'qwen3moe', type: 'Q4_0', seed: 7, nExperts: 16, nExpertsUsed: 4, context: 300 },
  { architecture: 'llama', type: 'F16', seed: 8, ropeFactors: true, context: 64 },
];

test.runIf(gpu).each(cases)('$architecture in $type', async ({ context = 512, ...options }) => {
  const model = readModel(await openGguf(memorySource('tiny.gguf', tinyModel(options))));
  const plan = planOffload(modelNumbers(model, gpu!.capabilities), {
    budgets: { gpuBytes: null, ramBytes: null },
    machine: MACHINE,
    context: { tokens: context, fixed: true },
  });
  const before = gpu!.buffers.totalBytes;
  const engine = await createEngine(gpu!, { model, contextTokens: context, prefillChunkTokens: plan.prefillChunkTokens });
  try {
    const { weightsBytes, expertsBytes, kvBytes, activationsBytes, stagingBytes, totalBytes } = plan.gpu;
    expect(before).toBe(0);
    expect(engine.memory()).toMatchObject({ weightsBytes, expertsBytes, kvBytes, activationsBytes, stagingBytes, totalBytes });
  } finally {
    engine.dispose();
  }
});
