/** `experts simulate` through the CLI, on traces in a folder with spaces and non-ASCII letters. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { simulate } from '../../../../gpu/residency/policy/simulate.ts';
import { lfru } from '../../../../gpu/residency/policy/lfru.ts';
import { TraceWriter } from '../../../../gpu/residency/policy/trace-format.ts';
import { EXIT } from '../exit-codes.ts';
import { runCli } from '../main.ts';
import { openTraceSink, readTrace } from '../trace-files.ts';

let folder: string;
let trace: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'conclave Spur '));
  trace = await writeTrace('a trace.jsonl', 8, 40);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Ten prompt tokens, then an answer; experts wander slowly. */
async function writeTrace(name: string, nExperts: number, nTokens: number): Promise<string> {
  const file = path.join(folder, name);
  const sink = await openTraceSink(file);
  const writer = await TraceWriter.begin(sink, { model: 'Tiny', layers: [0, 2], nExperts, nUsed: 2 });
  for (let position = 0; position < nTokens; position++) {
    const first = Math.floor(position / 3) % nExperts;
    const experts = [
      [first, (first + 1) % nExperts],
      [(position * 3) % nExperts, (position * 3 + 1) % nExperts],
    ];
    await writer.token({ position, isPrompt: position < 10, experts });
  }
  await writer.end();
  await sink.close();
  return file;
}

async function cli(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const streams = { stdout: (text: string) => void (stdout += text), stderr: (text: string) => void (stderr += text) };
  const exitCode = await runCli(['experts', ...args], streams, new AbortController().signal);
  return { exitCode, stdout, stderr };
}

test('every policy at every number of slots, as a table', async () => {
  const { exitCode, stdout, stderr } = await cli('simulate', trace, '--slots', '25%,4,100%');
  expect(exitCode, stderr).toBe(EXIT.done);
  expect(stdout).toContain('Tiny: 10 prompt tokens (counts only), 30 answer tokens; 2 of 8 experts in 2 layers');
  const rows = stdout.split('\n').filter((line) => /^\d/.test(line));
  const names = ['lru', 'lfu', 'lfru', 'adaptive', 'frequencies', 'next-1', 'next-2', 'next-4', 'belady'];
  expect(rows).toHaveLength(3 * names.length);
  expect(rows[0]).toMatch(/^2 \(25[.]0 %\) +lru +\d+[.]\d % +\d+ +\d[.]\d\d +\d+[.]\d +\d[.]\d\d$/);
  expect(rows.slice(2 * names.length).map((row) => row.split(/ {2,}/)[1])).toEqual(names);
});

test('the document has the same figures as the simulator, layer by layer', async () => {
  const { exitCode, stdout } = await cli('simulate', trace, '--slots', '3', '--policy', 'lfru', '--json');
  expect(exitCode).toBe(EXIT.done);
  const document = JSON.parse(stdout);
  const { hits, misses, hitRate, layers, nTokens } = simulate(await readTrace(trace), { nSlots: 3, policy: lfru });
  expect(document).toMatchObject({
    model: 'Tiny',
    nExperts: 8,
    nExpertsUsed: 2,
    promptTokens: 10,
    answerTokens: 30,
    prompt: 'warm',
  });
  expect(document.results).toHaveLength(1);
  expect(document.results[0]).toMatchObject({ policy: 'lfru', nSlots: 3, nTokens, hits, misses, hitRate, layers });
});

test('a prompt can ask for experts too; several traces follow one another', async () => {
  const counted = async (...args: string[]) =>
    JSON.parse((await cli('simulate', ...args, '--slots', '4', '--policy', 'lru', '--json')).stdout).results[0];
  expect((await counted(trace, '--demand-prompt')).nTokens).toBe(40);
  expect((await counted(trace, trace)).nTokens).toBe(60);
});

test('slots may start with what another trace used most', async () => {
  const misses = async (...args: string[]) =>
    JSON.parse((await cli('simulate', trace, '--slots', '6', '--policy', 'lru', '--json', ...args)).stdout).results[0].misses;
  expect(await misses('--warm', trace)).toBeLessThan(await misses());
  const { exitCode, stderr } = await cli('simulate', trace, '--warm', await writeTrace('nine.jsonl', 9, 12));
  expect(exitCode).toBe(EXIT.usage);
  expect(stderr).toMatch(/nine[.]jsonl is of another model/);
});

test('shuffled, the tokens are the same but for their order', async () => {
  const run = async (...args: string[]) => JSON.parse((await cli('simulate', trace, '--slots', '4', '--json', ...args)).stdout);
  const [plain, shuffled] = [await run('--demand-prompt'), await run('--demand-prompt', '--shuffle', '3')];
  expect(shuffled.shuffleSeed).toBe(3);
  expect(shuffled.statistics.topQuarterShare).toBe(plain.statistics.topQuarterShare);
  expect(shuffled.results).not.toEqual(plain.results);
});

test('made-up routing for models too large to run, said to be so, with a forecast for each machine', async () => {
  const args = ['simulate', '--synthetic', 'gpt-oss-20b,mixtral-8x7b', '--slots', '50%', '--policy', 'lru,belady'];
  const { exitCode, stdout, stderr } = await cli(...args);
  expect(exitCode, stderr).toBe(EXIT.done);
  expect(stdout.split('\n')[0]).toMatch(/^synthetic: .* nothing here was measured$/);
  expect(stdout).toMatch(/Mixtral 8x7B: 2 of 8 experts; hit rates: .*arXiv 2312[.]17238/);
  expect(stdout.match(/^(discrete GPU|Apple|laptop).*\d[.]\d–\d/gm)).toHaveLength(6);
  const { stdout: json } = await cli(...args, '--machine', 'unified-16gb', '--seed', '4', '--json');
  const document = JSON.parse(json);
  expect(document).toMatchObject({ seed: 4, models: [{ model: 'gpt-oss-20b' }, { model: 'Mixtral 8x7B' }] });
  for (const { forecasts, results } of document.models) {
    expect(results.map((row: { policy: string }) => row.policy)).toEqual(['lru', 'belady']);
    expect(forecasts).toHaveLength(1);
    expect(forecasts[0].plan.prediction.tokensPerSecond).toBeGreaterThan(0);
  }
});

describe('refused', () => {
  test.each([
    [['simulate'], /needs a trace/],
    [['simulate', 'T', '--slots', '9'], /--slots has "9", but must be a number from 2 to 8/],
    [['simulate', 'T', '--slots', '1'], /from 2 to 8/],
    [['simulate', 'T', '--slots', '2.5'], /--slots has "2.5"/],
    [['simulate', 'T', '--slots', '300%'], /--slots has "300%"/],
    [
      ['simulate', 'T', '--policy', 'magic'],
      /--policy is "magic", but must be all or some of lru, lfu, lfru, adaptive, frequencies, next-1, next-2, next-4, belady/,
    ],
    [['simulate', '--synthetic', 'qwen9'], /--synthetic is "qwen9", but must be all or some of qwen3-30b-a3b/],
    [['simulate', '--synthetic', 'toString'], /--synthetic is "toString"/],
    [['simulate', '--synthetic', 'all', '--machine', 'phone'], /--machine is "phone", but must be all or some of discrete-12gb/],
    [['simulate', 'T', '--synthetic', 'all'], /takes no trace/],
    [['simulate', 'T', '--machine', 'all'], /--machine needs --synthetic/],
    [['scout', 'model.gguf', '--prompt', 'x', '--policy', 'lru'], /--policy is no option of "experts scout"/],
    [['scout', '--prompt', 'x'], /needs one model/],
    [['simulate', 'T', '--prompt', 'hello'], /--prompt is no option of "experts simulate"/],
    [['model.gguf', '--prompt', 'x', '--slots', '2'], /--slots is no option of "experts MODEL"/],
    [['model.gguf', 'other.gguf', '--prompt', 'x'], /takes one model/],
  ])('%j', async (args, message) => {
    const { exitCode, stderr } = await cli(...args.map((arg) => (arg === 'T' ? trace : arg)));
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toMatch(message);
    expect(stderr).toContain('experts simulate TRACE');
  });

  test('traces of two models', async () => {
    const { exitCode, stderr } = await cli('simulate', trace, await writeTrace('other.jsonl', 9, 12));
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toMatch(/other[.]jsonl is of another model/);
  });

  test('a cut or missing file, as a file that is not usable', async () => {
    const cut = path.join(folder, 'cut.jsonl');
    writeFileSync(cut, readFileSync(trace).subarray(0, 900));
    expect(await cli('simulate', cut, '--json')).toMatchObject({
      exitCode: EXIT.file,
      stdout: expect.stringContaining('"code":"trace.damaged"'),
      stderr: expect.stringMatching(/cut[.]jsonl, line \d+: .*Record the trace again/),
    });
    expect(await cli('simulate', path.join(folder, 'none'))).toMatchObject({
      exitCode: EXIT.file,
      stderr: expect.stringContaining('could not be opened'),
    });
  });
});
