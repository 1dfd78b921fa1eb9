/**
 * The GPU engine against the f64 reference: logits of the prefill kernels and of the decode kernels, for every architecture with many
 * tensor types, and for one with all.
 * The bar is NMSE ≤ 1e-6 at every position: f32 sums are near 1e-12, a key or value that rounds to the other f16 costs up to 1e-8.
 */
import { describe, expect, test } from 'vitest';
import { OTHER_TYPES, TYPES } from '../../gpu/kernels/prefill-shared/case-helpers.ts';
import { createReferenceEngine } from '../../gpu/reference/engine.ts';
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import { TINY_ARCHITECTURES } from '../fixtures/tiny-model.ts';
import { nmsePerPosition, spread } from '../parity/compare.ts';
import { gpu, someTokens, tinySpec, withEngine } from './setup.ts';

const BAR = 1e-6;
/** Two in a file, which also puts their snippets into one program. */
const PAIRS = OTHER_TYPES.flatMap((type, i) => (i % 2 === 0 ? [{ type, otherType: OTHER_TYPES[i + 1] ?? 'Q6_K' }] : []));

async function compare(model: ModelSpec, nTokens: number, expertsUsed?: number): Promise<void> {
  const tokens = someTokens(model, nTokens);
  const truth = await createReferenceEngine(model, { expertsUsed }).logits(tokens);
  await withEngine(model, { contextTokens: nTokens, expertsUsed }, async (engine) => {
    const prefilled = nmsePerPosition(truth, await engine.logits(tokens), model.vocabularySize);
    expect(spread(prefilled).worst, `prefill, by position: ${prefilled}`).toBeLessThanOrEqual(BAR);
    const decoded = nmsePerPosition(truth, await engine.decodeLogits(tokens), model.vocabularySize);
    expect(spread(decoded).worst, `decode, by position: ${decoded}`).toBeLessThanOrEqual(BAR);
  });
}

describe.skipIf(!gpu)('logits of the GPU engine and of the reference', () => {
  describe.each(TINY_ARCHITECTURES)('%s', (architecture) => {
    test.each(TYPES)('%s', async (type) => compare(await tinySpec({ architecture, type }), 9));
  });

  test('more positions than one attention split (300)', async () =>
    compare(await tinySpec({ architecture: 'qwen3moe', type: 'Q8_0' }), 300));

  test('types mixed in one file', async () =>
    compare(await tinySpec({ architecture: 'mixtral', type: 'Q4_K', otherType: 'Q6_K' }), 9));

  test.each(PAIRS)('$type and $otherType mixed in one file', async (types) =>
    compare(await tinySpec({ architecture: 'mixtral', ...types }), 9),
  );

  test('tied head, rope factors', async () =>
    compare(await tinySpec({ architecture: 'llama', type: 'Q4_0', tiedHead: true, ropeFactors: true }), 9));

  test('more experts used than the model says', async () =>
    compare(await tinySpec({ architecture: 'olmoe', type: 'Q8_0' }), 9, 5));
});
