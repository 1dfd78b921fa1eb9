/** Small runs of the scripts beside this file, so that they keep working and their bars hold for what takes seconds. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { memorySource } from '../../gpu/gguf/memory-source.ts';
import { readModel } from '../../gpu/architectures/read-model.ts';
import { openGguf } from '../../gpu/gguf/read.ts';
import { openTestDevice } from '../gpu/node-gpu.ts';
import { generatedModel, measureExactness, PROMPTS } from './exactness.ts';
import { measureMemory } from './memory.ts';
import { isMemoryRight, rowOf } from './predicted.ts';
import { measureSecondPrompt } from './second-prompt.ts';
import { planForShare } from './share-plan.ts';

const gpu = await openTestDevice();
const adapter = process.env.CONCLAVE_ADAPTER ?? 'auto';
const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave-offload-'));
const model = path.join(folder, 'generated.gguf');
writeFileSync(model, generatedModel(3));
afterAll(() => {
  gpu?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

test.runIf(gpu)('ids at a tenth and half of the expert bytes are those of all resident', { timeout: 240_000 }, async () => {
  const { rows, distinctIds } = await measureExactness(gpu!, await openGguf(memorySource('generated.gguf', generatedModel(3))), {
    shares: [0.1, 0.5],
    prompts: PROMPTS.slice(0, 2),
    tokensPerPrompt: 12,
  });
  expect(rows.map(({ tokens }) => tokens)).toEqual([24, 24, 24]);
  expect(rows.map(({ differences }) => differences)).toEqual([0, 0, 0]);
  expect(rows.map(({ hitRate }) => hitRate < 1)).toEqual([false, true, true]);
  expect(distinctIds).toBeGreaterThan(8);
});

test.runIf(gpu && process.platform === 'linux')(
  'memory stays within budgets and is what was predicted',
  { timeout: 240_000 },
  async () => {
    const sizes = { gpuBytes: 16 * 2 ** 20, ramBytes: 4 * 2 ** 20, promptTokens: 16, newTokens: 24, everyMs: 250 };
    const verdict = await measureMemory({ model, adapter, ...sizes, dataFolder: folder });
    expect(verdict.answer.tokens).toBe(24);
    expect(verdict.answer.residency.missesFromDisk).toBeGreaterThan(0);
    expect(verdict.pss.peakBytes).toBeGreaterThan(verdict.baselineBytes);
    expect(verdict).toMatchObject({ isLedgerWithin: true, isPssWithin: true });
    const row = rowOf(verdict, { file: 'generated', budget: 0, baselineBytes: verdict.baselineBytes });
    expect(isMemoryRight(row), JSON.stringify(row)).toBe(true);
  },
);

test.runIf(gpu)('a long prompt leaves what answers had in the RAM pool, and finds it there', { timeout: 240_000 }, async () => {
  const spec = readModel(await openGguf(memorySource('generated.gguf', generatedModel(3))));
  const { plan } = planForShare(spec, 0.25, 0.25);
  const text = Int32Array.from({ length: 48 + 128 }, (_, i) => (i * 37) % spec.vocabularySize);
  const { before, behind, promptBytesRead } = await measureSecondPrompt(gpu!, spec, plan, { text, seed: 3 });
  // The pool holds a quarter of the experts and slots another one. If prompts pushed answers' experts out, they would find none of it: three pools' bytes.
  expect(promptBytesRead / plan.ramPoolBytes).toBeLessThan(2.6);
  for (const { fromRam, fromDisk } of [before, behind]) expect(fromRam / (fromRam + fromDisk)).toBeGreaterThan(0.16);
});
