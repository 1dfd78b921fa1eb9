/** What the engine's tests share: a device, tiny models, engines, and comparisons of bits. */
import { readModel } from '../../gpu/architectures/read-model.ts';
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import type { GpuDevice } from '../../gpu/device/open-device.ts';
import { memorySource } from '../../gpu/gguf/memory-source.ts';
import { openGguf } from '../../gpu/gguf/read.ts';
import { invariant } from '../../gpu/invariant.ts';
import { createEngine } from '../../gpu/runtime/engine.ts';
import type { Engine, EngineOptions, GenerateRequest, SampledToken, SamplingSettings } from '../../gpu/runtime/types.ts';
import { drawU32 } from '../../gpu/reference/ops/random.ts';
import { tinyModel, type TinyModelOptions } from '../fixtures/tiny-model.ts';
import { sharedTestDevice } from '../gpu/node-gpu.ts';

/** null where there is no adapter. */
export const gpu: GpuDevice | null = await sharedTestDevice();

export const SEED = 23;

export async function tinySpec(options: Omit<TinyModelOptions, 'seed'>): Promise<ModelSpec> {
  return readModel(await openGguf(memorySource('tiny.gguf', tinyModel({ ...options, seed: SEED }))));
}

/** Token ids that look random, the same in every run. */
export function someTokens(model: ModelSpec, count: number): number[] {
  return Array.from({ length: count }, (_, i) => drawU32(SEED, i) % model.vocabularySize);
}

/** Runs `use` with an engine and disposes of it. */
export async function withEngine<T>(
  model: ModelSpec,
  options: Omit<EngineOptions, 'model'>,
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  invariant(gpu, 'withEngine without an adapter');
  const engine = await createEngine(gpu, { model, ...options });
  try {
    return await use(engine);
  } finally {
    engine.dispose();
  }
}

export const GREEDY: SamplingSettings = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };

export async function generate(
  engine: Engine,
  maxTokens: number,
  sampling: SamplingSettings,
  more: Partial<GenerateRequest> = {},
): Promise<SampledToken[]> {
  const out: SampledToken[] = [];
  for await (const token of engine.generate({ maxTokens, sampling, endIds: new Set(), ...more })) out.push(token);
  return out;
}

/** The bits of numbers, for exact comparison: -0 and 0 differ, NaN equals itself. */
export function bits(numbers: Float32Array): Uint32Array {
  return new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
}

/** Keys and values of all layers as one list of words. */
export async function allKv(engine: Engine, nTokens: number): Promise<Uint32Array[]> {
  const out: Uint32Array[] = [];
  for (const { index } of engine.model.layers) {
    const { keys, values } = await engine.readKv(index, nTokens);
    out.push(keys, values);
  }
  return out;
}
