/** Mixtures behind a sigmoid router (bailingmoe2, glm4moe): what is read, what is refused. */
import { describe, expect, test } from 'vitest';
import { tinyContents, type TinyModelOptions } from '../../tests/fixtures/tiny-model.ts';
import { memorySource } from '../gguf/memory-source.ts';
import { openGguf } from '../gguf/read.ts';
import { boolValue, f32Value, ggufBytes, u32Value, type WritableTensor } from '../gguf/write.ts';
import { expertsUsed } from './experts-used.ts';
import { readModel } from './read-model.ts';
import type { MoeFfnTensors } from './types.ts';

type Options = Partial<TinyModelOptions> & { readonly without?: string; readonly more?: readonly WritableTensor[] };

async function model(architecture: 'bailingmoe2' | 'glm4moe', { without, more = [], ...options }: Options = {}) {
  const contents = tinyContents({ architecture, type: 'F32', seed: 1, ...options });
  const tensors = [...contents.tensors.filter(({ name }) => name !== without), ...more];
  return readModel(await openGguf(memorySource('tiny.gguf', ggufBytes({ ...contents, tensors }))));
}

const mixture = async (...arguments_: Parameters<typeof model>) => (await model(...arguments_)).layers[1].ffn as MoeFfnTensors;

test('bailingmoe2: a dense layer, then groups of experts beside a shared one; q, k and v are rows of one matrix', async () => {
  const spec = await model('bailingmoe2');
  expect(spec).toMatchObject({ qkNorm: 'per-head', tiedHead: false, rope: { pairing: 'halves', dims: 8 }, headWidth: 16 });
  expect(spec.layers.map(({ ffn }) => ffn.kind)).toEqual(['dense', 'moe', 'moe']);
  const ffn = spec.layers[1].ffn as MoeFfnTensors;
  expect(ffn.moe).toEqual({
    ...{ nExperts: 8, nExpertsUsed: 2, expertWidth: 96, sharedWidth: 96 },
    ...{ activation: 'silu', gating: 'sigmoid', normalise: true, weightScale: 2.5, groups: { count: 4, used: 2 } },
  });
  expect(ffn.selectionBias?.shape).toEqual([8]);
  expect(ffn.shared?.outputGate).toBeUndefined();
  const { q, k, v } = spec.layers[0].attention;
  expect([q.shape, k.shape, v.shape]).toEqual([
    [64, 64],
    [32, 64],
    [32, 64],
  ]);
  expect([k.offsetBytes - q.offsetBytes, v.offsetBytes - k.offsetBytes, v.sizeBytes]).toEqual([
    4 * 64 * 64,
    4 * 32 * 64,
    4 * 32 * 64,
  ]);
});

test('glm4moe: no groups; q/k norm where the file has it', async () => {
  const spec = await model('glm4moe');
  expect(spec.qkNorm).toBe('none');
  expect(spec.layers[0].attention.qBias).toBeDefined();
  expect((spec.layers[1].ffn as MoeFfnTensors).moe).toMatchObject({ gating: 'sigmoid', groups: undefined, sharedWidth: 96 });
  expect((await model('glm4moe', { qkNorm: 'per-head' })).qkNorm).toBe('per-head');
});

test('what a file may leave out', async () => {
  expect((await mixture('bailingmoe2', { without: 'blk.1.exp_probs_b.bias' })).selectionBias).toBeUndefined();
  const metadata = { 'bailingmoe2.expert_weights_norm': boolValue(false), 'bailingmoe2.expert_weights_scale': f32Value(0) };
  expect((await mixture('bailingmoe2', { metadata })).moe).toMatchObject({ normalise: false, weightScale: 1 });
});

test('layers that guess ahead are left out with their tensors', async () => {
  const metadata = { 'glm4moe.block_count': u32Value(4), 'glm4moe.nextn_predict_layers': u32Value(1) };
  const more: WritableTensor[] = [{ name: 'blk.3.nextn.enorm.weight', shape: [32], type: 'F32', data: new Uint8Array(128) }];
  expect((await model('glm4moe', { metadata, more })).nLayers).toBe(3);
  await expect(model('glm4moe', { more })).rejects.toMatchObject({
    code: 'model.tensor',
    details: { tensor: 'blk.3.nextn.enorm.weight' },
  });
});

test('as many experts per token as its groups hold', async () => {
  const spec = await model('bailingmoe2');
  expect(expertsUsed(spec, 4)).toEqual([0, 4, 4]);
  expect(() => expertsUsed(spec, 5)).toThrow(/layer 1 has 4 that a token can reach. Choose 1 to 4/);
});

describe('refused', () => {
  test.each([
    ['softmax gating', 'expert_gating_func', 1, /only sigmoid gating \(2\)/],
    ['groups that do not divide the experts', 'expert_group_count', 3, /a number that divides the 8 experts/],
    ['groups of one', 'expert_group_count', 8, /groups of two or more/],
    ['more groups than a word has bits', 'expert_group_count', 64, /from 0 to 32/],
    ['more groups used than there are', 'expert_group_used_count', 5, /from 1 to 4/],
    ['only layers that guess ahead', 'nextn_predict_layers', 3, /from 0 to 2/],
  ])('%s', async (_name, key, value, message) => {
    const metadata = { [`bailingmoe2.${key}`]: u32Value(value) };
    await expect(model('bailingmoe2', { metadata })).rejects.toMatchObject({
      code: 'model.metadata',
      message: expect.stringMatching(message) as string,
    });
  });

  test('groups too small for the experts that are used', async () => {
    const metadata = { 'bailingmoe2.expert_group_used_count': u32Value(1) };
    await expect(model('bailingmoe2', { nExpertsUsed: 3, metadata })).rejects.toThrow(/groups of 2 must hold the 3 experts/);
  });
});
