/** `gpt-oss`: sinks, windows, YaRN and biases as data; what would be computed wrongly is refused. */
import { expect, test } from 'vitest';
import { tinyContents, type TinyModelOptions } from '../../tests/fixtures/tiny-model.ts';
import { memorySource } from '../gguf/memory-source.ts';
import { openGguf } from '../gguf/read.ts';
import { f32Value, ggufBytes, stringValue, u32Value } from '../gguf/write.ts';
import { readModel } from './read-model.ts';
import type { MoeFfnTensors } from './types.ts';

async function model({ without, ...options }: Partial<TinyModelOptions> & { readonly without?: string } = {}) {
  const contents = tinyContents({ architecture: 'gpt-oss', type: 'F32', seed: 1, nLayers: 4, ...options });
  const tensors = contents.tensors.filter(({ name }) => name !== without);
  return readModel(await openGguf(memorySource('tiny.gguf', ggufBytes({ ...contents, tensors }))));
}

test('windows in every second layer, sinks in all; biases of everything', async () => {
  const spec = await model();
  expect(spec.layers.map(({ attention }) => attention.windowTokens)).toEqual([5, undefined, 5, undefined]);
  const { attention, ffn, ffnNorm } = spec.layers[1];
  expect(attention.sinks?.shape).toEqual([4]);
  expect([attention.qBias, attention.kBias, attention.vBias, attention.outputBias].map((bias) => bias?.shape)).toEqual([
    [64],
    [32],
    [32],
    [64],
  ]);
  expect(ffnNorm.name).toBe('blk.1.post_attention_norm.weight');
  const { moe, routerBias, biases } = ffn as MoeFfnTensors;
  expect(moe).toMatchObject({ gating: 'softmax', normalise: true, activation: 'clamped-swiglu', sharedWidth: 0 });
  expect(routerBias?.shape).toEqual([8]);
  expect([biases?.gate, biases?.up, biases?.down].map((bias) => bias?.shape)).toEqual([
    [8, 96],
    [8, 96],
    [8, 64],
  ]);
});

test('YaRN: pairs by frequency, its magnitude in the scale of scores', async () => {
  const { rope, attentionScale } = await model();
  const yarn = { originalContextTokens: 4096, fastTurns: 32, slowTurns: 1 };
  expect(rope).toMatchObject({ pairing: 'halves', scale: 1 / 32, yarn });
  expect(attentionScale).toBeCloseTo((1 + 0.1 * Math.log(32)) ** 2 / 4, 12);
  const plain = await model({ metadata: { 'gpt-oss.rope.scaling.type': stringValue('none') } });
  expect([plain.rope.yarn, plain.rope.scale, plain.attentionScale]).toEqual([undefined, 1, 0.25]);
});

test.each([
  ['attention.sliding_window_pattern', u32Value(3), /sliding_window_pattern = 3; only 2 is supported/],
  ['attention.sliding_window', u32Value(0), /sliding_window = 0; a whole number from 1/],
  ['rope.freq_base_swa', f32Value(10000), /only one RoPE for all layers/],
  ['rope.scaling.yarn_beta_fast', f32Value(8), /yarn_beta_fast = 8; only 32 is supported/],
  ['rope.scaling.yarn_log_multiplier', f32Value(1), /yarn_log_multiplier = 1; only 0 is supported/],
  ['rope.scaling.attn_factor', f32Value(0.5), /attn_factor = 0.5; only 1 is supported/],
  ['rope.scaling.factor', f32Value(0.5), /with YaRN a number of at least 1/],
  ['rope.dimension_count', u32Value(8), /with YaRN only the whole head width 16/],
  ['rope.scaling.type', stringValue('longrope'), /only "none" and "linear" and "yarn" are supported/],
])('refused: %s', async (key, value, message) => {
  await expect(model({ metadata: { [`gpt-oss.${key}`]: value } })).rejects.toThrow(message);
});

test.each(['attn_sinks.weight', 'ffn_gate_inp.bias', 'ffn_down_exps.bias'])('refused: a layer without %s', async (name) => {
  await expect(model({ without: `blk.2.${name}` })).rejects.toThrow(`no tensor blk.2.${name}`);
});
