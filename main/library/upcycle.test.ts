import { describe, expect, it } from 'vitest';
import { memorySource } from '../../gpu/gguf/memory-source.ts';
import { openGguf } from '../../gpu/gguf/read.ts';
import type { ByteSource, GgufFile } from '../../gpu/gguf/types.ts';
import { ggufBytes, stringValue, type WritableValue } from '../../gpu/gguf/write.ts';
import { dequantise } from '../../gpu/quant/formats.ts';
import { COMPUTE_TYPES, type ComputeType } from '../../gpu/quant/types.ts';
import { tinyModel, type TinyModelOptions } from '../../tests/fixtures/tiny-model.ts';
import { upcycle, type UpcycleOptions } from './upcycle.ts';

const SEED = 5;
const dense = (overrides: Partial<TinyModelOptions> = {}) =>
  tinyModel({ architecture: 'llama', type: 'F32', seed: SEED, nLayers: 2, ...overrides });
const open = (bytes: Uint8Array) => openGguf(memorySource('dense.gguf', bytes));

async function run(bytes: Uint8Array, overrides: Partial<UpcycleOptions> = {}) {
  const chunks: Uint8Array[] = [];
  const options = { nExperts: 4, nExpertsUsed: 2, noise: 0, seed: 7, ...overrides };
  const report = await upcycle(await open(bytes), { write: async (chunk) => void chunks.push(chunk.slice()) }, options);
  const out = new Uint8Array(Buffer.concat(chunks));
  return { report, out, file: await open(out), longestChunk: Math.max(...chunks.map((chunk) => chunk.length)) };
}

const bytesOf = (file: GgufFile, bytes: Uint8Array, name: string) => {
  const tensor = file.tensors.get(name)!;
  return Buffer.from(bytes.buffer, bytes.byteOffset + tensor.offsetBytes, tensor.sizeBytes);
};

function weightsOf(file: GgufFile, bytes: Uint8Array, name: string): Float32Array {
  return dequantise(file.tensors.get(name)!.type as ComputeType, bytesOf(file, bytes, name));
}

function standardDeviation(values: ArrayLike<number>): number {
  const list = Array.from(values);
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  return Math.sqrt(list.reduce((a, b) => a + (b - mean) ** 2, 0) / list.length);
}

describe('noise 0', () => {
  it.each(COMPUTE_TYPES)('experts in %s are byte for byte the dense FFN; all else is copied', async (type) => {
    const bytes = dense({ type });
    const source = await open(bytes);
    const { report, out, file } = await run(bytes);
    expect(report).toMatchObject({ nLayers: 2, retyped: [] });
    for (const tensor of source.tensors.values()) {
      const ffn = /^(blk\.\d\.ffn_(?:gate|up|down))\.weight$/.exec(tensor.name);
      if (!ffn) {
        expect(bytesOf(file, out, tensor.name).equals(bytesOf(source, bytes, tensor.name)), tensor.name).toBe(true);
        continue;
      }
      const stacked = `${ffn[1]}_exps.weight`;
      expect(file.tensors.get(stacked)).toMatchObject({ type, shape: [4, ...tensor.shape] });
      const original = bytesOf(source, bytes, tensor.name);
      expect(bytesOf(file, out, stacked).equals(Buffer.concat([original, original, original, original])), stacked).toBe(true);
      expect(file.tensors.has(tensor.name)).toBe(false);
    }
  });

  it('keeps every metadata value with its type and adds the expert counts', async () => {
    const extra: Record<string, WritableValue> = { note: stringValue('Grüße'), tiny: { type: 'INT8', value: -3 } };
    const bytes = dense({ metadata: extra });
    const source = await open(bytes);
    const { file } = await run(bytes);
    for (const [key, value] of source.metadata) {
      expect(file.valueTypes.get(key), key).toBe(source.valueTypes.get(key));
      if (typeof value !== 'object') expect(file.metadata.get(key), key).toBe(value);
      else {
        const copy = file.metadata.get(key);
        expect(typeof copy === 'object' && (value.elementType === 'STRING' ? copy.strings() : copy.numbers()), key).toEqual(
          value.elementType === 'STRING' ? value.strings() : value.numbers(),
        );
      }
    }
    expect([file.metadata.get('llama.expert_count'), file.metadata.get('llama.expert_used_count')]).toEqual([4, 2]);
    expect(file.metadata.size).toBe(source.metadata.size + 2);
  });
});

describe('the router', () => {
  it('is F32, seeded, different in each layer, with logits of deviation near 1 behind the norm', async () => {
    const bytes = dense();
    const { file, out } = await run(bytes, { nExperts: 64 });
    const router = weightsOf(file, out, 'blk.0.ffn_gate_inp.weight');
    expect(file.tensors.get('blk.0.ffn_gate_inp.weight')).toMatchObject({ type: 'F32', shape: [64, 64] });
    expect(standardDeviation(router) * Math.sqrt(64)).toBeGreaterThan(0.9);
    expect(standardDeviation(router) * Math.sqrt(64)).toBeLessThan(1.1);
    expect(weightsOf(file, out, 'blk.1.ffn_gate_inp.weight')).not.toEqual(router);
    const again = await run(bytes, { nExperts: 64 });
    expect(Buffer.compare(again.out, out)).toBe(0);
    const other = await run(bytes, { nExperts: 64, seed: 8 });
    expect(weightsOf(other.file, other.out, 'blk.0.ffn_gate_inp.weight')).not.toEqual(router);
  });
});

describe('noise', () => {
  it('is N(0, (X · σ)²), its own in each expert, and the same for the same seed', async () => {
    const bytes = dense();
    const source = await open(bytes);
    const original = weightsOf(source, bytes, 'blk.1.ffn_up.weight');
    const { file, out } = await run(bytes, { noise: 0.1 });
    const experts = weightsOf(file, out, 'blk.1.ffn_up_exps.weight');
    const noises = [0, 1, 2, 3].map((e) => original.map((w, i) => experts[e * original.length + i] - w));
    for (const noise of noises) {
      expect(standardDeviation(noise) / standardDeviation(original)).toBeCloseTo(0.1, 2);
      expect(Math.abs(noise.reduce((a, b) => a + b, 0) / noise.length)).toBeLessThan(0.01 * standardDeviation(original));
    }
    const product = noises[0].reduce((total, w, i) => total + w * noises[1][i], 0) / original.length;
    expect(Math.abs(product) / standardDeviation(noises[0]) ** 2).toBeLessThan(0.05); // uncorrelated: about 1 / √10240
    expect(Buffer.compare((await run(bytes, { noise: 0.1 })).out, out)).toBe(0);
  });

  it.each<[ComputeType, ComputeType]>([
    ['F32', 'F32'],
    ['F16', 'F16'],
    ['Q8_0', 'Q8_0'],
    ['Q4_0', 'Q4_0'],
    ['Q4_1', 'Q4_1'],
    ['BF16', 'Q8_0'],
    ['Q4_K', 'Q8_0'],
    ['Q6_K', 'Q8_0'],
  ])('%s experts are written as %s, and a change is reported', async (from, to) => {
    const { file, report } = await run(dense({ type: from, nLayers: 1 }), { noise: 0.02, nExperts: 2 });
    for (const projection of ['gate', 'up', 'down'])
      expect(file.tensors.get(`blk.0.ffn_${projection}_exps.weight`)!.type).toBe(to);
    expect(file.tensors.get('blk.0.attn_q.weight')!.type).toBe(from);
    expect(report.retyped.map((change) => [change.from, change.to])).toEqual(
      from === to
        ? []
        : [
            [from, to],
            [from, to],
            [from, to],
          ],
    );
  });

  it('needs little memory, and chunks do not show in the result', async () => {
    // 1.5 million weights per matrix: more than one chunk.
    const bytes = dense({ nLayers: 1, modelWidth: 1024, nHeads: 4, nKvHeads: 1, headWidth: 16, ffWidth: 1536 });
    let longestRead = 0;
    const inner = memorySource('dense.gguf', bytes);
    const source: ByteSource = {
      ...inner,
      read: (at, length, signal) => ((longestRead = Math.max(longestRead, length)), inner.read(at, length, signal)),
    };
    const chunks: Uint8Array[] = [];
    const options = { nExperts: 2, nExpertsUsed: 1, noise: 0.5, seed: 1 };
    await upcycle(await openGguf(source), { write: async (chunk) => void chunks.push(chunk.slice()) }, options);
    expect(longestRead).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(4 * 1024 * 1024);
    const out = new Uint8Array(Buffer.concat(chunks));
    const file = await open(out);
    const original = weightsOf(await open(bytes), bytes, 'blk.0.ffn_down.weight');
    const first = weightsOf(file, out, 'blk.0.ffn_down_exps.weight').subarray(0, original.length);
    for (const [from, to] of [
      [0, 2 ** 20],
      [2 ** 20, original.length],
    ]) {
      const noise = original.slice(from, to).map((w, i) => first[from + i] - w);
      expect(standardDeviation(noise) / standardDeviation(original)).toBeCloseTo(0.5, 2);
    }
  });
});

describe('refusals', () => {
  it.each<[string, () => Uint8Array, Partial<UpcycleOptions>, string]>([
    ['a model with experts', () => tinyModel({ architecture: 'mixtral', type: 'F32', seed: 1 }), {}, 'model.metadata'],
    ['another architecture', () => tinyModel({ architecture: 'qwen2moe', type: 'F32', seed: 1 }), {}, 'model.architecture'],
    ['one expert', dense, { nExperts: 1, nExpertsUsed: 1 }, 'model.metadata'],
    ['more used than there are', dense, { nExpertsUsed: 5 }, 'model.metadata'],
    ['noise that is no number', dense, { noise: NaN }, 'model.metadata'],
    ['a missing matrix', () => withoutTensor(), {}, 'model.tensor'],
  ])('%s', async (_title, bytes, overrides, code) => {
    await expect(run(bytes(), overrides)).rejects.toMatchObject({ code });
  });

  it('an aborted run stops', async () => {
    const controller = new AbortController();
    controller.abort(new Error('stop'));
    await expect(run(dense(), { signal: controller.signal })).rejects.toThrow('stop');
  });

  function withoutTensor(): Uint8Array {
    const metadata = new Map<string, WritableValue>([
      ['general.architecture', stringValue('llama')],
      ['llama.block_count', { type: 'UINT32', value: 1 }],
    ]);
    return ggufBytes({ metadata, tensors: [{ name: 'x', shape: [8], type: 'F32', data: new Uint8Array(32) }] });
  }
});
