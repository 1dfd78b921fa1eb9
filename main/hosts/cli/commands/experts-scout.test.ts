/** `experts scout` through the CLI, on tiny models in a folder with spaces and non-ASCII letters. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyModel } from '../../../../tests/fixtures/tiny-model.ts';
import { EXIT } from '../exit-codes.ts';
import { runCli } from '../main.ts';

const TEXT = 'the quick brown fox jumps over the lazy dog, then sleeps. '.repeat(6);
let folder: string;
let model: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'conclave Späher '));
  model = path.join(folder, 'tiny model.gguf');
  writeFileSync(model, tinyModel({ architecture: 'qwen3moe', type: 'Q8_0', seed: 4, nLayers: 3 }));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function cli(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const streams = { stdout: (text: string) => void (stdout += text), stderr: (text: string) => void (stderr += text) };
  const exitCode = await runCli(['experts', 'scout', ...args], streams, new AbortController().signal);
  return { exitCode, stdout, stderr };
}

test('what a run-through would find, for each number of slots, with weights kept and renormalised', async () => {
  const args = [model, '--prompt', TEXT, '--slots', '3,6', '--max-tokens', '56'];
  const { exitCode, stdout, stderr } = await cli(...args, '--json');
  expect(exitCode, stderr).toBe(EXIT.done);
  const { results, warmUpTokens } = JSON.parse(stdout);
  expect(results.map((row: { nSlots: number; renormalise: boolean }) => [row.nSlots, row.renormalise])).toEqual([
    [3, false],
    [3, true],
    [6, false],
    [6, true],
  ]);
  for (const row of results) {
    expect(row.tokens).toBe(56 - warmUpTokens);
    expect(row.found).toBeLessThanOrEqual(row.laterMisses);
  }
  expect(results[0].hitRate).toBeLessThan(results[2].hitRate);
  expect((await cli(...args)).stdout.split('\n').filter((line) => /^[36] \(/.test(line))).toHaveLength(4);
});

test('a text too short, a dense model and too many slots are refused', async () => {
  const dense = path.join(folder, 'dense.gguf');
  writeFileSync(dense, tinyModel({ architecture: 'llama', type: 'F32', seed: 3 }));
  for (const [args, message] of [
    [[model, '--prompt', 'hello'], /only fill the slots: give a longer text/],
    [[dense, '--prompt', TEXT], /has no experts: it is a dense model/],
    [[model, '--prompt', TEXT, '--slots', '9'], /must be a number from 2 to 8/],
    [[model], /--prompt is missing/],
  ] as const) {
    const { exitCode, stderr } = await cli(...args);
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toMatch(message);
  }
});
