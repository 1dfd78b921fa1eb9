import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { boolValue, ggufBytes, i32sValue, stringValue, stringsValue, u32Value } from '../../../../gpu/gguf/write.ts';
import { BYTE_CHARACTERS } from '../../../../gpu/tokenizer/byte-level.ts';
import { runCli } from '../main.ts';

let folder = '';
let model = '';

function vocabularyFile(pre: string): Uint8Array {
  const tokens = ['<s>', '<|im_end|>', ...BYTE_CHARACTERS, 'Hi'];
  return ggufBytes({
    metadata: new Map([
      ['general.architecture', stringValue('llama')],
      ['tokenizer.ggml.model', stringValue('gpt2')],
      ['tokenizer.ggml.pre', stringValue(pre)],
      ['tokenizer.ggml.tokens', stringsValue(tokens)],
      ['tokenizer.ggml.token_type', i32sValue(tokens.map((_, id) => (id < 2 ? 3 : 1)))],
      ['tokenizer.ggml.merges', stringsValue(['H i'])],
      ['tokenizer.ggml.bos_token_id', u32Value(0)],
      ['tokenizer.ggml.add_bos_token', boolValue(true)],
    ]),
    tensors: [],
  });
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'conclave mödel '));
  model = path.join(folder, 'tiny.gguf');
  await writeFile(model, vocabularyFile('qwen2'));
});
afterAll(() => rm(folder, { recursive: true }));

async function cli(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const streams = { stdout: (text: string) => void (stdout += text), stderr: (text: string) => void (stderr += text) };
  const exitCode = await runCli(args, streams, new AbortController().signal);
  return { exitCode, stdout, stderr };
}

test('text to ids, as a line and as JSON', async () => {
  expect(await cli('tokenize', model, '--text', 'Hi!')).toEqual({ exitCode: 0, stdout: '258,35\n', stderr: '' });
  const { stdout } = await cli('tokenize', model, '--text', 'Hi<|im_end|>', '--add-special', '--parse-special', '--json');
  expect(JSON.parse(stdout)).toEqual({ ids: [0, 258, 1], pieces: ['<s>', 'Hi', '<|im_end|>'], count: 3 });
  expect(JSON.parse((await cli('tokenize', model, '--text', '<|im_end|>', '--json')).stdout)).toMatchObject({ count: 10 });
});

test('ids to text, there and back', async () => {
  const { stdout: ids } = await cli('tokenize', model, '--text', 'Hi é😀\n');
  expect(await cli('detokenize', model, '--tokens', ids.trim(), '--json')).toEqual({
    exitCode: 0,
    stdout: JSON.stringify({ text: 'Hi é😀\n', count: ids.split(',').length }) + '\n',
    stderr: '',
  });
  expect((await cli('detokenize', model, '--tokens', '0,258,1')).stdout).toBe('Hi\n');
  expect((await cli('detokenize', model, '--tokens', '0,258,1', '--special')).stdout).toBe('<s>Hi<|im_end|>\n');
});

test('refusals: no text, no ids, an id that does not exist, a tokenizer that is not known', async () => {
  expect(await cli('tokenize', model)).toMatchObject({ exitCode: 2, stdout: '' });
  expect(await cli('detokenize', model)).toMatchObject({ exitCode: 2, stdout: '' });
  const { exitCode, stderr } = await cli('detokenize', model, '--tokens', '259');
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('0 to 258')]);
  const unknown = path.join(folder, 'unknown.gguf');
  await writeFile(unknown, vocabularyFile('tekken'));
  expect(await cli('tokenize', unknown, '--text', 'x')).toMatchObject({
    exitCode: 3,
    stderr: expect.stringContaining('"tekken"'),
  });
});
