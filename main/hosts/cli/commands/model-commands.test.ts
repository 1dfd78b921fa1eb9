/** `inspect` and `upcycle` through the CLI, on files in a folder with spaces and non-ASCII letters. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { f32Value, stringValue } from '../../../../gpu/gguf/write.ts';
import { tinyModel } from '../../../../tests/fixtures/tiny-model.ts';
import { EXIT } from '../exit-codes.ts';
import { runCli } from '../main.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'conclave Modèle '));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function cli(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const streams = { stdout: (text: string) => void (stdout += text), stderr: (text: string) => void (stderr += text) };
  const exitCode = await runCli(args, streams, new AbortController().signal);
  return { exitCode, stdout, stderr };
}

function write(name: string, bytes: Uint8Array): string {
  const file = path.join(folder, name);
  writeFileSync(file, bytes);
  return file;
}

describe('inspect', () => {
  it('counts parameters, active ones and bytes', async () => {
    const bytes = tinyModel({ architecture: 'qwen2moe', type: 'Q4_0', seed: 2 });
    const { exitCode, stdout } = await cli('inspect', write('tiny.gguf', bytes), '--json');
    expect(exitCode).toBe(EXIT.done);
    const found = JSON.parse(stdout);
    const perExpert = 3 * 96 * 64;
    expect(found.parameters.total - found.parameters.active).toBe(2 * 6 * perExpert); // 2 layers, 6 of 8 experts rest
    expect(found.experts).toEqual({
      count: 8,
      used: 2,
      bytes: (2 * 8 * perExpert * 18) / 32,
      bytesPerExpert: (perExpert * 18) / 32,
    });
    expect(found).toMatchObject({
      architecture: 'qwen2moe',
      sizeBytes: bytes.length,
      dimensions: { layers: 2, modelWidth: 64, heads: 4, kvHeads: 2, headWidth: 16, expertWidth: 96, sharedExpertWidth: 128 },
      tokenizer: { model: 'gpt2', preTokenizer: 'qwen2' },
      templateSource: 'file',
      problem: null,
    });
    expect(found.types.map((row: { type: string }) => row.type).sort()).toEqual(['F32', 'Q4_0']);
  });

  it('says how the file wants words chosen, and what of that is not used', async () => {
    const metadata = { 'general.sampling.temp': f32Value(0.7), 'general.sampling.top_k': stringValue('40') };
    const file = write('tiny.gguf', tinyModel({ architecture: 'olmoe', type: 'F16', seed: 2, metadata }));
    const { exitCode, stdout } = await cli('inspect', file);
    expect(exitCode).toBe(EXIT.done);
    expect(stdout).toMatch(/Sampling +temperature 0.7\n/);
    expect(stdout).toMatch(/Note +The file's general.sampling.top_k is "40", which is not used: a whole number up to 256 is\./);
  });

  it('says the same in words', async () => {
    const { stdout } = await cli('inspect', write('tiny.gguf', tinyModel({ architecture: 'olmoe', type: 'F16', seed: 2 })));
    expect(stdout).toMatch(/Architecture +olmoe/);
    expect(stdout).toMatch(/Experts +8 per layer, 2 used, width 96/);
    expect(stdout).not.toMatch(/null|undefined|NaN/);
  });

  it('names the groups that experts compete in', async () => {
    const file = write('tiny.gguf', tinyModel({ architecture: 'bailingmoe2', type: 'F16', seed: 2 }));
    const { stdout } = await cli('inspect', file);
    expect(stdout).toMatch(/Experts +8 per layer, 2 used, from 2 of 4 groups, width 96, and a shared one of width 96/);
    expect(JSON.parse((await cli('inspect', file, '--json')).stdout).experts.groups).toEqual({ count: 4, used: 2 });
  });

  it('describes a sound file that the engine does not run, with exit code 3 and the reason', async () => {
    const bytes = tinyModel({
      architecture: 'llama',
      type: 'F32',
      seed: 2,
      metadata: { 'general.architecture': { type: 'STRING', value: 'mamba' } },
    });
    const { exitCode, stdout } = await cli('inspect', write('other.gguf', bytes), '--json');
    expect(exitCode).toBe(EXIT.file);
    expect(JSON.parse(stdout)).toMatchObject({ architecture: 'mamba', problem: { code: 'model.architecture' } });
  });

  it('refuses what is no model, naming the field', async () => {
    const { exitCode, stderr } = await cli('inspect', write('page.gguf', new TextEncoder().encode('<html>')));
    expect(exitCode).toBe(EXIT.file);
    expect(stderr).toMatch(/page\.gguf is not a GGUF model/);
  });
});

describe('upcycle', () => {
  const dense = () => write('dense ü.gguf', tinyModel({ architecture: 'llama', type: 'Q4_K', seed: 2 }));
  const options = ['--experts', '4', '--used', '2', '--seed', '7'];

  it('writes a model that inspect knows, says what changed its type, and leaves nothing else', async () => {
    const out = path.join(folder, 'moe é.gguf');
    const { exitCode, stdout, stderr } = await cli('upcycle', dense(), out, ...options, '--noise', '0.02', '--json');
    expect(exitCode).toBe(EXIT.done);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ nExperts: 4, nExpertsUsed: 2, noise: 0.02, seed: 7, nLayers: 2 });
    expect(report.retyped).toHaveLength(6);
    expect(report.sizeBytes).toBe(readFileSync(out).length);
    expect(stderr).toMatch(/ffn_gate_exps\.weight: written as Q8_0/);
    expect(readdirSync(folder).sort()).toEqual(['dense ü.gguf', 'moe é.gguf']);
    const inspected = JSON.parse((await cli('inspect', out, '--json')).stdout);
    expect(inspected).toMatchObject({ architecture: 'llama', experts: { count: 4, used: 2 }, problem: null });
  });

  it('never overwrites its input', async () => {
    const input = dense();
    const before = readFileSync(input);
    const { exitCode, stderr } = await cli('upcycle', input, path.join(folder, '.', 'dense ü.gguf'), ...options);
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toMatch(/is the file that is read/);
    expect(readFileSync(input).equals(before)).toBe(true);
  });

  it.each([
    [['--used', '2'], /--experts is missing/],
    [['--experts', '1', '--used', '1'], /--experts is "1"/],
    [['--experts', '4', '--used', '5'], /--used is "5"/],
    [['--experts', '4', '--used', '2', '--noise', '-1'], /--noise is "-1"/],
  ])('refuses %j', async (args, message) => {
    const out = path.join(folder, 'out.gguf');
    const { exitCode, stderr } = await cli('upcycle', dense(), out, ...args);
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toMatch(message);
    expect(existsSync(out)).toBe(false);
  });

  it('leaves nothing behind when it fails, and keeps an older output', async () => {
    const input = write('moe.gguf', tinyModel({ architecture: 'mixtral', type: 'F32', seed: 1 }));
    const out = write('out.gguf', Uint8Array.of(1, 2, 3));
    const { exitCode } = await cli('upcycle', input, out, ...options);
    expect(exitCode).toBe(EXIT.file);
    expect([...readFileSync(out)]).toEqual([1, 2, 3]);
    expect(readdirSync(folder).sort()).toEqual(['moe.gguf', 'out.gguf']);
  });

  it('says where it cannot write', async () => {
    const { exitCode, stderr } = await cli('upcycle', dense(), path.join(folder, 'missing', 'out.gguf'), ...options);
    expect(exitCode).toBe(EXIT.usage);
    expect(stderr).toMatch(/missing cannot be written to/);
  });
});
