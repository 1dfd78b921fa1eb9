/** With noise 0 every expert is the dense FFN and the chosen weights sum to 1, so the upcycled model computes what the dense one does. */
import { expect, it } from 'vitest';
import { readModel } from '../../../../gpu/architectures/read-model.ts';
import { memorySource } from '../../../../gpu/gguf/memory-source.ts';
import { openGguf } from '../../../../gpu/gguf/read.ts';
import { createReferenceEngine } from '../../../../gpu/reference/engine.ts';
import { upcycle } from '../../../library/upcycle.ts';
import { tinyModel } from '../../../../tests/fixtures/tiny-model.ts';

const PROMPT = [3, 77, 201, 15, 15, 340, 8];
const NEW_TOKENS = 24;

it.each([
  ['F32', 11],
  ['Q4_0', 12],
  ['Q4_1', 13],
] as const)('%s (seed %d): NMSE ≤ 1e-10 to the dense model, equal greedy ids', async (type, seed) => {
  const dense = await openGguf(memorySource('dense.gguf', tinyModel({ architecture: 'llama', type, seed })));
  const chunks: Uint8Array[] = [];
  const sink = { write: async (chunk: Uint8Array) => void chunks.push(chunk.slice()) };
  await upcycle(dense, sink, { nExperts: 4, nExpertsUsed: 2, noise: 0, seed });
  const sparse = await openGguf(memorySource('sparse.gguf', new Uint8Array(Buffer.concat(chunks))));

  const [expected, found] = [dense, sparse].map((file) => createReferenceEngine(readModel(file)));
  const [wanted, got] = [await expected.logits(PROMPT), await found.logits(PROMPT)];
  let error = 0;
  let power = 0;
  for (let i = 0; i < wanted.length; i++) {
    error += (wanted[i] - got[i]) ** 2;
    power += wanted[i] ** 2;
  }
  console.info(`upcycled ${type}: NMSE ${(error / power).toExponential(2)}`);
  expect(error / power).toBeLessThanOrEqual(1e-10);
  expect(await found.generateGreedy(PROMPT, NEW_TOKENS)).toEqual(await expected.generateGreedy(PROMPT, NEW_TOKENS));
  const { routing } = await found.run(PROMPT);
  expect(new Set(routing).size).toBe(4); // the router does send tokens to different experts
});
