/** `logits` and `experts` through the CLI on a device, files in a folder with spaces and non-ASCII letters. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readModel } from '../../../../gpu/architectures/read-model.ts';
import { memorySource } from '../../../../gpu/gguf/memory-source.ts';
import { openGguf } from '../../../../gpu/gguf/read.ts';
import { layerRequests } from '../../../../gpu/residency/policy/trace.ts';
import { createReferenceEngine } from '../../../../gpu/reference/engine.ts';
import { tinyModel } from '../../../../tests/fixtures/tiny-model.ts';
import { openTestDevice } from '../../../../tests/gpu/node-gpu.ts';
import { EXIT } from '../exit-codes.ts';
import { runCli } from '../main.ts';
import { readTrace } from '../trace-files.ts';
import { nmse } from '../../../../gpu/reference/nmse.ts';

// Each command starts an engine of its own: seconds of shader compilation on a software adapter.
const LIMIT_MS = 180_000;
const probe = await openTestDevice();
probe?.dispose();

const bytes = tinyModel({ architecture: 'qwen2moe', type: 'Q8_0', seed: 3 });
let folder: string;
let modelPath: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'conclave Größe '));
  modelPath = path.join(folder, 'tiny model.gguf');
  writeFileSync(modelPath, bytes);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function cli(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const streams = { stdout: (text: string) => void (stdout += text), stderr: (text: string) => void (stderr += text) };
  const exitCode = await runCli(args, streams, new AbortController().signal);
  return { exitCode, stdout, stderr };
}

describe.skipIf(!probe)('logits', { timeout: LIMIT_MS }, () => {
  const tokens = Array.from({ length: 20 }, (_, i) => (i * 37 + 5) % 300);

  async function logits(...args: string[]): Promise<Float32Array> {
    const out = path.join(folder, 'logits.f32');
    const { exitCode, stdout, stderr } = await cli(
      'logits',
      modelPath,
      '--tokens',
      tokens.join(),
      '--out',
      out,
      '--json',
      ...args,
    );
    expect(exitCode, stderr).toBe(EXIT.done);
    const file = readFileSync(out);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ out, shape: [20, file.length / 80], type: 'f32', sizeBytes: file.length });
    expect(document.kernels).toBe(args.includes('--decode') ? 'decode' : 'prefill');
    return new Float32Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
  }

  test('writes the logits of every position, the same for every chunk size', async () => {
    const whole = await logits();
    const want = await createReferenceEngine(readModel(await openGguf(memorySource('tiny', bytes)))).logits(tokens);
    expect(nmse(want, whole)).toBeLessThan(1e-6);
    expect(nmse(want, await logits('--decode'))).toBeLessThan(1e-6);
    expect(await logits('--chunk', '3')).toEqual(whole);
  });

  test('an id outside the vocabulary is refused with the range', async () => {
    const { exitCode, stderr } = await cli('logits', modelPath, '--tokens', '1,70000', '--out', path.join(folder, 'x'));
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toMatch(/--tokens has 70000, but the ids of this model are 0 to \d+/);
  });
});

describe.skipIf(!probe)('experts', { timeout: LIMIT_MS }, () => {
  test('counts every token that passed the layers, and traces them', async () => {
    const trace = path.join(folder, 'trace.jsonl');
    const args = ['--prompt', 'hello there, hello', '--max-tokens', '4', '--trace', trace, '--json'];
    const { exitCode, stdout, stderr } = await cli('experts', modelPath, ...args);
    expect(exitCode, stderr).toBe(EXIT.done);
    const document = JSON.parse(stdout);
    const { counts, tokens, promptTokens, nExpertsUsed, entropyBits } = document;
    expect(counts).toHaveLength(2);
    for (const layer of counts) expect(layer.reduce((sum: number, n: number) => sum + n, 0)).toBe(tokens * nExpertsUsed);
    for (const bits of entropyBits) expect(bits).toBeGreaterThan(0);
    const recorded = await readTrace(trace);
    expect(recorded).toMatchObject({ layers: [0, 1], nExperts: 8, nUsed: 2, nTokens: tokens });
    expect(Array.from(recorded.positions)).toEqual(Array.from({ length: tokens }, (_, i) => i));
    expect(recorded.isPrompt.filter((mark) => mark === 1)).toHaveLength(promptTokens - 1);
    const recounted = counts.map((layer: number[]) => layer.map(() => 0));
    for (const layer of [0, 1]) for (const id of layerRequests(recorded, layer)) recounted[layer][id]++;
    expect(recounted).toEqual(counts);
  });

  test('the routing is that of the reference', async () => {
    const prompt = 'the quick brown fox jumps over';
    const trace = path.join(folder, 'trace.jsonl');
    await cli('experts', modelPath, '--prompt', prompt, '--trace', trace, '--json');
    const ids = JSON.parse(
      (await cli('tokenize', modelPath, '--text', prompt, '--json', '--add-special', '--parse-special')).stdout,
    ).ids;
    const want = await createReferenceEngine(readModel(await openGguf(memorySource('tiny', bytes)))).run(ids);
    expect((await readTrace(trace)).experts).toEqual(want.routing);
  });

  test('a dense model has none', async () => {
    const dense = path.join(folder, 'dense.gguf');
    writeFileSync(dense, tinyModel({ architecture: 'llama', type: 'F32', seed: 3 }));
    const { exitCode, stderr } = await cli('experts', dense, '--prompt', 'hello');
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toContain('has no experts: it is a dense model');
  });
});
