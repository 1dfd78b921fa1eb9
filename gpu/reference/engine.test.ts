/** The reference engine's own promises. That its numbers are right is shown against llama.cpp (tests/parity). */
import { describe, expect, test } from 'vitest';
import { readModel } from '../architectures/read-model.ts';
import { memorySource } from '../gguf/memory-source.ts';
import { openGguf } from '../gguf/read.ts';
import { copyMetadata, ggufBytes, type WritableTensor } from '../gguf/write.ts';
import { tinyModel, type TinyArchitecture } from '../../tests/fixtures/tiny-model.ts';
import { createReferenceEngine, type ReferenceOptions } from './engine.ts';

const TOKENS = [3, 141, 59, 26, 5, 35, 89, 79, 32];

async function engineOf(bytes: Uint8Array, options?: ReferenceOptions) {
  return createReferenceEngine(readModel(await openGguf(memorySource('tiny.gguf', bytes))), options);
}

const tiny = (architecture: TinyArchitecture) => tinyModel({ architecture, type: 'Q4_0', seed: 5 });

describe.each(['llama', 'mixtral', 'qwen2moe', 'qwen3moe', 'olmoe'] as const)('%s', (architecture) => {
  test('tokens one by one give the bits of all at once; caches may be dropped', async () => {
    const whole = await (await engineOf(tiny(architecture))).run(TOKENS);
    const engine = await engineOf(tiny(architecture), { weightBudgetBytes: 0 });
    const sequence = engine.sequence(100);
    const logits: number[] = [];
    const routing: number[] = [];
    for (const token of TOKENS) {
      const step = await sequence.append([token]);
      logits.push(...step.logits);
      routing.push(...step.routing);
    }
    expect(logits).toEqual([...whole.logits]);
    expect(routing).toEqual([...whole.routing]);
    expect(routing.length).toBe(architecture === 'llama' ? 0 : TOKENS.length * 2 * 2);
    expect(sequence.position).toBe(TOKENS.length);
  });

  test('a sequence that was cut off goes on as if nothing had stood there; the last logits alone are those of all', async () => {
    const engine = await engineOf(tiny(architecture));
    const whole = await engine.logits(TOKENS);
    const sequence = engine.sequence(TOKENS.length);
    await sequence.append([...TOKENS.slice(0, 4), 7, 8, 9]);
    sequence.truncate(4);
    const { logits } = await sequence.append(TOKENS.slice(4), 'last');
    expect([...logits]).toEqual([...whole.subarray(whole.length - engine.model.vocabularySize)]);
    expect(sequence.position).toBe(TOKENS.length);
  });

  test('rounding keys and values to f16 changes little, and something', async () => {
    const rounded = await (await engineOf(tiny(architecture))).logits(TOKENS);
    const exact = await (await engineOf(tiny(architecture), { kvRounding: 'none' })).logits(TOKENS);
    let [difference, size] = [0, 0];
    rounded.forEach((logit, i) => {
      difference += (logit - exact[i]) ** 2;
      size += logit ** 2;
    });
    expect(difference / size).toBeGreaterThan(0);
    expect(difference / size).toBeLessThan(1e-5);
  });
});

test('greedy ids are the most likely ones of the sequence that they make', async () => {
  const engine = await engineOf(tiny('qwen3moe'));
  const ids = await engine.generateGreedy(TOKENS, 5);
  const logits = await engine.logits([...TOKENS, ...ids]);
  const size = engine.model.vocabularySize;
  ids.forEach((id, step) => {
    const position = TOKENS.length - 1 + step;
    expect(id).toBe(argmax(logits.subarray(position * size, (position + 1) * size)));
  });
});

test('the number of experts used is a setting; the own number changes nothing', async () => {
  const own = await (await engineOf(tiny('mixtral'))).run(TOKENS);
  const two = await (await engineOf(tiny('mixtral'), { expertsUsed: 2 })).run(TOKENS);
  const three = await (await engineOf(tiny('mixtral'), { expertsUsed: 3 })).run(TOKENS);
  expect(two.logits).toEqual(own.logits);
  expect(three.routing.length).toBe((own.routing.length * 3) / 2);
  expect(three.logits).not.toEqual(own.logits);
});

test('experts in tensors of their own (old Mixtral files) give the bits of stacked ones', async () => {
  const stacked = tiny('mixtral');
  const file = await openGguf(memorySource('stacked.gguf', stacked));
  const tensors: WritableTensor[] = [];
  for (const tensor of file.tensors.values()) {
    const data = stacked.subarray(tensor.offsetBytes, tensor.offsetBytes + tensor.sizeBytes);
    const [, before, part] = /^(.*ffn_)(gate|up|down)_exps\.weight$/.exec(tensor.name) ?? [];
    if (!part) {
      tensors.push({ ...tensor, data });
      continue;
    }
    const [nExperts, ...shape] = tensor.shape;
    const sizeBytes = tensor.sizeBytes / nExperts;
    for (let expert = 0; expert < nExperts; expert++)
      tensors.push({
        name: `${before}${part}.${expert}.weight`,
        shape,
        type: tensor.type,
        data: data.subarray(expert * sizeBytes, (expert + 1) * sizeBytes),
      });
  }
  const separate = ggufBytes({ metadata: copyMetadata(file), tensors });
  expect(await (await engineOf(separate)).logits(TOKENS)).toEqual(await (await engineOf(stacked)).logits(TOKENS));
});

function argmax(values: Float64Array): number {
  return values.reduce((best, value, index) => (value > values[best] ? index : best), 0);
}
