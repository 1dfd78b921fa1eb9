/** Reading models from hand-made GGUF descriptions: numbers, tensor places, and every refusal. No weights are involved. */
import { describe, expect, test } from 'vitest';
import { isConclaveError } from '../errors.ts';
import { numberArray, stringArray } from '../gguf/array.ts';
import { memorySource } from '../gguf/memory-source.ts';
import type { GgmlTypeName, GgufFile, GgufTensor, GgufValue } from '../gguf/types.ts';
import { readModel } from './read-model.ts';
import type { MoeFfnTensors } from './types.ts';

type Shapes = Record<string, readonly number[]>;
type Changes = {
  readonly metadata?: Record<string, GgufValue | undefined>;
  readonly tensors?: Record<string, readonly number[] | undefined>;
  readonly types?: Record<string, GgmlTypeName>;
};

const [D, H, G, HD, F, E, V] = [64, 4, 2, 32, 96, 4, 10];

function attention(layer: number): Shapes {
  return {
    [`blk.${layer}.attn_norm.weight`]: [D],
    [`blk.${layer}.attn_q.weight`]: [H * HD, D],
    [`blk.${layer}.attn_k.weight`]: [G * HD, D],
    [`blk.${layer}.attn_v.weight`]: [G * HD, D],
    [`blk.${layer}.attn_output.weight`]: [D, H * HD],
    [`blk.${layer}.ffn_norm.weight`]: [D],
  };
}

function experts(layer: number, width = F): Shapes {
  return {
    [`blk.${layer}.ffn_gate_inp.weight`]: [E, D],
    [`blk.${layer}.ffn_gate_exps.weight`]: [E, width, D],
    [`blk.${layer}.ffn_up_exps.weight`]: [E, width, D],
    [`blk.${layer}.ffn_down_exps.weight`]: [E, D, width],
  };
}

const global: Shapes = { 'token_embd.weight': [V, D], 'output_norm.weight': [D], 'output.weight': [V, D] };
const moeKeys = { expert_count: E, expert_used_count: 2 };

function layersOf(architecture: string, layer: number): Shapes {
  const q = `blk.${layer}.`;
  if (architecture === 'qwen3moe')
    return {
      ...attention(layer),
      ...experts(layer),
      [`${q}attn_q_norm.weight`]: [HD],
      [`${q}attn_k_norm.weight`]: [HD],
    };
  if (architecture === 'olmoe')
    return {
      ...attention(layer),
      ...experts(layer),
      [`${q}attn_q_norm.weight`]: [H * HD],
      [`${q}attn_k_norm.weight`]: [G * HD],
    };
  if (architecture === 'qwen2moe')
    return {
      ...attention(layer),
      ...experts(layer),
      [`${q}attn_q.bias`]: [H * HD],
      [`${q}attn_k.bias`]: [G * HD],
      [`${q}attn_v.bias`]: [G * HD],
      [`${q}ffn_gate_inp_shexp.weight`]: [D],
      [`${q}ffn_gate_shexp.weight`]: [128, D],
      [`${q}ffn_up_shexp.weight`]: [128, D],
      [`${q}ffn_down_shexp.weight`]: [D, 128],
    };
  if (architecture === 'mixtral') return { ...attention(layer), ...experts(layer) };
  return {
    ...attention(layer),
    [`${q}ffn_gate.weight`]: [F, D],
    [`${q}ffn_up.weight`]: [F, D],
    [`${q}ffn_down.weight`]: [D, F],
  };
}

/** A file of `architecture` (`mixtral`: llama with experts); `undefined` in `changes` takes away. */
function modelFile(architecture: string, changes: Changes = {}): GgufFile {
  const prefix = architecture === 'mixtral' ? 'llama' : architecture;
  const keys: Record<string, GgufValue> = {
    context_length: 512,
    embedding_length: D,
    block_count: 2,
    feed_forward_length: F,
    'attention.head_count': H,
    'attention.head_count_kv': G,
    'attention.key_length': HD,
    'attention.value_length': HD,
    'attention.layer_norm_rms_epsilon': 1e-5,
    'rope.freq_base': 50000,
    ...(architecture === 'llama' ? {} : moeKeys),
    ...(architecture === 'qwen2moe' ? { expert_feed_forward_length: F, expert_shared_feed_forward_length: 128 } : {}),
    ...(architecture === 'qwen3moe' ? { expert_feed_forward_length: F } : {}),
  };
  const metadata = new Map<string, GgufValue>([['general.architecture', prefix]]);
  for (const [key, value] of Object.entries(keys)) metadata.set(`${prefix}.${key}`, value);
  for (const [key, value] of Object.entries(changes.metadata ?? {})) {
    const name = key.includes('!') ? key.slice(1) : `${prefix}.${key}`;
    if (value === undefined) metadata.delete(name);
    else metadata.set(name, value);
  }
  const shapes: Record<string, readonly number[] | undefined> = {
    ...global,
    ...layersOf(architecture, 0),
    ...layersOf(architecture, 1),
    ...changes.tensors,
  };
  const tensors = new Map<string, GgufTensor>();
  let offsetBytes = 4096;
  for (const [name, shape] of Object.entries(shapes)) {
    if (!shape) continue;
    const sizeBytes = 4 * shape.reduce((product, length) => product * length, 1);
    tensors.set(name, { name, shape, type: changes.types?.[name] ?? 'F32', part: 0, offsetBytes, sizeBytes });
    offsetBytes += sizeBytes;
  }
  const sources = [memorySource('tiny.gguf', new Uint8Array(0))];
  return { version: 3, sources, metadata, valueTypes: new Map(), tensors, sizeBytes: offsetBytes };
}

function refusal(file: GgufFile): { code: string; message: string } {
  try {
    readModel(file);
  } catch (error) {
    if (isConclaveError(error)) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error('the file was accepted');
}

describe('accepted', () => {
  test('llama, dense: numbers and defaults', () => {
    const model = readModel(
      modelFile('llama', {
        metadata: { 'rope.freq_base': undefined, 'attention.head_count_kv': undefined, '!general.name': ' Tiny ' },
        tensors: Object.fromEntries(
          ['attn_k', 'attn_v'].flatMap((part) => [0, 1].map((l) => [`blk.${l}.${part}.weight`, [H * HD, D]])),
        ),
      }),
    );
    expect(model).toMatchObject({
      architecture: 'llama',
      name: 'Tiny',
      nLayers: 2,
      modelWidth: D,
      nHeads: H,
      nKvHeads: H,
      headWidth: HD,
      vocabularySize: V,
      trainedContextTokens: 512,
      rmsEpsilon: 1e-5,
      attentionScale: 1 / Math.sqrt(HD),
      qkNorm: 'none',
      tiedHead: false,
      rope: { pairing: 'interleaved', dims: HD, base: 10000, scale: 1 },
    });
    expect(model.layers[1].ffn).toMatchObject({ kind: 'dense', width: F });
  });

  test('a tied head is the embedding; rope factors and linear scaling are read', () => {
    const model = readModel(
      modelFile('llama', {
        metadata: { 'rope.scaling.type': 'linear', 'rope.scaling.factor': 4 },
        tensors: { 'output.weight': undefined, 'rope_freqs.weight': [HD / 2] },
      }),
    );
    expect(model.tiedHead).toBe(true);
    expect(model.head).toBe(model.embedding);
    expect(model.rope.scale).toBe(0.25);
    expect(model.rope.factorsTensor?.name).toBe('rope_freqs.weight');
  });

  test('scaling type none switches the factor off; the old key is read', () => {
    const scale = (metadata: Record<string, GgufValue>) => readModel(modelFile('llama', { metadata })).rope.scale;
    expect(scale({ 'rope.scaling.type': 'none', 'rope.scaling.factor': 4 })).toBe(1);
    expect(scale({ 'rope.scale_linear': 2 })).toBe(0.5);
  });

  test.each([
    ['mixtral', true, 0, 'interleaved', 'none'],
    ['qwen3moe', true, 0, 'halves', 'per-head'],
    ['olmoe', false, 0, 'halves', 'whole-row'],
    ['qwen2moe', false, 128, 'halves', 'none'],
  ] as const)('%s: normalise %s, shared width %i, %s, q/k norm %s', (name, normalise, sharedWidth, pairing, qkNorm) => {
    const model = readModel(modelFile(name));
    const ffn = model.layers[1].ffn as MoeFfnTensors;
    expect(model).toMatchObject({ qkNorm, rope: { pairing } });
    expect(ffn.moe).toEqual({
      nExperts: E,
      nExpertsUsed: 2,
      expertWidth: F,
      activation: 'silu',
      gating: 'softmax',
      normalise,
      weightScale: 1,
      sharedWidth,
    });
    expect(!!ffn.shared).toBe(sharedWidth > 0);
    expect(!!model.layers[0].attention.qBias).toBe(name === 'qwen2moe');
    expect(!!model.layers[0].attention.qNorm).toBe(qkNorm !== 'none');
    const { tensor } = ffn.up[3];
    expect(ffn.up[3]).toEqual({ tensor, offsetBytes: tensor.offsetBytes + 3 * F * D * 4, sizeBytes: F * D * 4 });
  });

  test('one tensor per expert, as old Mixtral files have it', () => {
    const tensors: Record<string, readonly number[] | undefined> = {};
    for (const layer of [0, 1])
      for (const part of ['gate', 'up', 'down']) {
        tensors[`blk.${layer}.ffn_${part}_exps.weight`] = undefined;
        for (let expert = 0; expert < E; expert++)
          tensors[`blk.${layer}.ffn_${part}.${expert}.weight`] = part === 'down' ? [D, F] : [F, D];
      }
    const ffn = readModel(modelFile('mixtral', { tensors })).layers[1].ffn as MoeFfnTensors;
    expect(ffn.down[2].tensor.name).toBe('blk.1.ffn_down.2.weight');
    const mixed = modelFile('mixtral', { tensors, types: { 'blk.0.ffn_up.3.weight': 'F16' } });
    expect(refusal(mixed).message).toMatch(/blk\.0\.ffn_up\.3\.weight has type F16 but blk\.0\.ffn_up\.0\.weight has F32/);
  });

  test('Qwen without an expert width shares the dense width among the used experts', () => {
    const metadata = { expert_feed_forward_length: undefined, feed_forward_length: 2 * F };
    const model = readModel(modelFile('qwen3moe', { metadata }));
    expect((model.layers[0].ffn as MoeFfnTensors).moe.expertWidth).toBe(F);
  });

  test('lists of equal numbers, per layer', () => {
    const metadata = { 'attention.head_count': numberArray('UINT32', [H, H]) };
    expect(readModel(modelFile('llama', { metadata })).nHeads).toBe(H);
  });
});

describe('refused', () => {
  const texts = stringArray(['a', 'b']);
  test.each<[string, string, Changes, string, RegExp]>([
    ['unknown architecture', 'mamba', {}, 'model.architecture', /"mamba"; Conclave runs llama, qwen2moe, qwen3moe, olmoe/],
    ['no architecture', 'llama', { metadata: { '!general.architecture': undefined } }, 'model.metadata', /general\.architecture/],
    [
      'YaRN',
      'llama',
      { metadata: { 'rope.scaling.type': 'yarn' } },
      'model.metadata',
      /rope\.scaling\.type = "yarn"; only "none" and "linear"/,
    ],
    ['sliding window', 'llama', { metadata: { 'attention.sliding_window': 64 } }, 'model.metadata', /sliding_window = 64/],
    [
      'logit soft cap',
      'llama',
      { metadata: { final_logit_softcapping: 30 } },
      'model.metadata',
      /final_logit_softcapping = 30; only 0/,
    ],
    ['clamp', 'olmoe', { metadata: { 'attention.clamp_kqv': 8 } }, 'model.metadata', /clamp_kqv = 8/],
    [
      'weight scale',
      'mixtral',
      { metadata: { expert_weights_scale: 2.5 } },
      'model.metadata',
      /expert_weights_scale = 2.5; only 0 or 1/,
    ],
    ['sigmoid gating', 'qwen3moe', { metadata: { expert_gating_func: 2 } }, 'model.metadata', /expert_gating_func = 2/],
    ['normalising', 'olmoe', { metadata: { expert_weights_norm: true } }, 'model.metadata', /expert_weights_norm = true; false/],
    [
      'too many used',
      'olmoe',
      { metadata: { expert_used_count: 5 } },
      'model.metadata',
      /expert_used_count = 5; a whole number from 1 to 4/,
    ],
    [
      'no epsilon',
      'llama',
      { metadata: { 'attention.layer_norm_rms_epsilon': undefined } },
      'model.metadata',
      /rms_epsilon = nothing/,
    ],
    ['no layers', 'llama', { metadata: { block_count: undefined } }, 'model.metadata', /no llama\.block_count/],
    [
      'huge layers',
      'llama',
      { metadata: { block_count: 2 ** 32 - 1 } },
      'model.metadata',
      /block_count = 4294967295; a whole number from 1 to 1024/,
    ],
    ['text for a number', 'llama', { metadata: { block_count: 'two' } }, 'model.metadata', /block_count = "two"/],
    ['list of texts', 'llama', { metadata: { block_count: texts } }, 'model.metadata', /a list of 2 texts/],
    [
      'different per layer',
      'llama',
      { metadata: { 'attention.head_count': numberArray('INT32', [4, 2]) } },
      'model.metadata',
      /\[4, 2\]; all layers/,
    ],
    ['kv heads', 'llama', { metadata: { 'attention.head_count_kv': 3 } }, 'model.metadata', /a divisor of the 4 query heads/],
    [
      'odd rope',
      'llama',
      { metadata: { 'rope.dimension_count': 31 } },
      'model.metadata',
      /dimension_count = 31; an even number up to the head width 32/,
    ],
    ['value width', 'llama', { metadata: { 'attention.value_length': 16 } }, 'model.metadata', /value_length = 16/],
    [
      'missing tensor',
      'qwen3moe',
      { tensors: { 'blk.1.attn_q_norm.weight': undefined } },
      'model.tensor',
      /no tensor blk\.1\.attn_q_norm\.weight \(expected shape \[32\]\)/,
    ],
    [
      'wrong shape',
      'llama',
      { tensors: { 'blk.1.ffn_up.weight': [D, F] } },
      'model.tensor',
      /blk\.1\.ffn_up\.weight has shape \[64, 96\], expected \[96, 64\]/,
    ],
    ['tied head where none is', 'olmoe', { tensors: { 'output.weight': undefined } }, 'model.tensor', /no tensor output\.weight/],
    [
      'type',
      'llama',
      { types: { 'blk.0.attn_q.weight': 'IQ2_XS' } },
      'model.tensor',
      /attn_q\.weight has type IQ2_XS; Conclave computes with F32/,
    ],
    ['norm type', 'llama', { types: { 'blk.0.attn_norm.weight': 'F16' } }, 'model.tensor', /attn_norm\.weight has type F16/],
    [
      'row length',
      'llama',
      { types: { 'blk.0.attn_q.weight': 'Q4_K' } },
      'model.tensor',
      /rows of 64 weights; a multiple of 256/,
    ],
    [
      'a tensor we would ignore',
      'llama',
      { tensors: { 'blk.0.ffn_up.bias': [F] } },
      'model.tensor',
      /1 tensors .* first is blk\.0\.ffn_up\.bias/,
    ],
    [
      'vocabulary',
      'llama',
      { metadata: { '!tokenizer.ggml.tokens': texts } },
      'model.tensor',
      /token_embd\.weight has shape \[10, 64\], expected \[2, 64\]/,
    ],
  ])('%s', (_, architecture, changes, code, message) => {
    const refused = refusal(modelFile(architecture, changes));
    expect(refused.message).toMatch(message);
    expect(refused.code).toBe(code);
  });
});
