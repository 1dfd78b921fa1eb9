/** `granitemoe`: its scales, folded into numbers that every model has. */
import { expect, test } from 'vitest';
import { tinyModel, type TinyModelOptions } from '../../tests/fixtures/tiny-model.ts';
import { memorySource } from '../gguf/memory-source.ts';
import { openGguf } from '../gguf/read.ts';
import { boolValue, f32Value } from '../gguf/write.ts';
import { readModel } from './read-model.ts';
import type { MoeFfnTensors } from './types.ts';

const model = async (options: Partial<TinyModelOptions> = {}) => {
  const bytes = tinyModel({ architecture: 'granitemoe', type: 'F32', seed: 1, ...options });
  return readModel(await openGguf(memorySource('tiny.gguf', bytes)));
};

test('what blocks add to the residual is scaled by dividing everything else', async () => {
  const spec = await model();
  expect(spec).toMatchObject({
    embeddingScale: 1.5 / 0.75,
    attentionScale: 0.125,
    logitScale: 1 / 1.5,
    rope: { pairing: 'interleaved' },
  });
  expect(spec.rmsEpsilon / Math.fround(1e-6)).toBeCloseTo(1 / 0.75 ** 2, 12);
  expect((spec.layers[0].ffn as MoeFfnTensors).moe).toMatchObject({ gating: 'softmax', normalise: true, sharedWidth: 0 });
});

test('scales that a file does not name, or names as 0, are neutral', async () => {
  const metadata = { 'granitemoe.residual_scale': f32Value(0), 'granitemoe.attention.scale': f32Value(0) };
  expect(await model({ metadata })).toMatchObject({ embeddingScale: 1.5, attentionScale: 1 / 4 });
});

test.each([
  ['logit_scale', f32Value(0), /logit_scale = 0; a positive number/],
  ['residual_scale', f32Value(-1), /residual_scale = -1; a positive number/],
  ['rope.scaling.finetuned', boolValue(false), /only models with rotary positions/],
])('refused: %s', async (key, value, message) => {
  await expect(model({ metadata: { [`granitemoe.${key}`]: value } })).rejects.toThrow(message);
});

test('other architectures must not have scales', async () => {
  const metadata = { 'qwen3moe.embedding_scale': f32Value(12) };
  await expect(model({ architecture: 'qwen3moe', metadata })).rejects.toThrow(/embedding_scale = 12; only 0 or 1 is supported/);
});
