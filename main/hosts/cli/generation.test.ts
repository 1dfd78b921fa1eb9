import { expect, test } from 'vitest';
import type { GgufValue } from '../../../gpu/gguf/types.ts';
import type { KvType } from '../../../gpu/quant/kv-types.ts';
import { EngineSession } from '../../../gpu/runtime/session.ts';
import type { Engine, FinishReason, GenerateRequest, SampledToken } from '../../../gpu/runtime/types.ts';
import type { Tokenizer } from '../../../gpu/tokenizer/types.ts';
import { fakeChatModel } from '../../../tests/fixtures-services/fake-models.ts';
import type { CliCommand } from './command.ts';
import { engineOptions, generate, GENERATION_OPTIONS, generationFor, readGeneration, type Generating } from './generation.ts';
import { runCli } from './main.ts';

/** Answers `Hé!` and the end token; its tokens are UTF-16 units. */
function opened(requests: GenerateRequest[]): Generating {
  let position = 0;
  const engine = {
    contextTokens: 100,
    get position() {
      return position;
    },
    prefill: async (tokens: ArrayLike<number>) => void (position += tokens.length - 1),
    truncate: (to: number) => void (position = to),
    async *generate(request: GenerateRequest): AsyncGenerator<SampledToken, FinishReason> {
      requests.push(request);
      for (const id of [72, 233, 33, 0]) yield { id, position: ++position };
      return 'end-token';
    },
    counters: () => ({ decodeTokens: 4 }),
    memory: () => ({ totalBytes: 5 }),
  } as unknown as Engine;
  const { endIds, decoder } = fakeChatModel('m', 'M');
  const encode = () => new Int32Array(0);
  const tokenizer = { endIds, decoder, encode } as unknown as Tokenizer;
  const device = { capabilities: { description: 'Fake', software: true } };
  return { engine, session: new EngineSession(engine), tokenizer, loadMs: 12, device };
}

async function cli(args: string[], metadata: ReadonlyMap<string, GgufValue> = new Map(), opening = '') {
  const requests: GenerateRequest[] = [];
  let kvType: KvType | undefined;
  const command: CliCommand = {
    name: 'run',
    usage: '',
    summary: '',
    options: GENERATION_OPTIONS,
    positionals: [0, 0],
    async run(context) {
      kvType = engineOptions(context.common, context.signal, context.log).kvType;
      const settings = generationFor({ metadata }, readGeneration(context.flags), context.log);
      await generate(opened(requests), { ids: Int32Array.of(1, 2), opening }, settings, context);
      return 0;
    },
  };
  let stdout = '';
  let stderr = '';
  const streams = { stdout: (text: string) => void (stdout += text), stderr: (text: string) => void (stderr += text) };
  const exitCode = await runCli(['run', ...args], streams, new AbortController().signal, async () => command);
  return { exitCode, stdout, stderr, requests, kvType };
}

test.each([
  [[], 'f16'],
  [['--kv-type', 'q8_0'], 'q8_0'],
  [['--kv', 'f32'], 'f32'],
])('%j keeps keys and values as %s', async (args, expected) => {
  expect(await cli(args)).toMatchObject({ exitCode: 0, kvType: expected });
});

test('text streams to stdout, numbers go to stderr', async () => {
  const { exitCode, stdout, stderr, requests } = await cli([]);
  expect([exitCode, stdout]).toEqual([0, 'Hé!\n']);
  expect(stderr).toContain('2 prompt tokens');
  expect(requests[0]).toMatchObject({ maxTokens: 128, sampling: { temperature: 0, seed: 0 }, endIds: new Set([0]) });
});

test('what the prompt holds of the answer is part of the text', async () => {
  expect((await cli([], new Map(), '<think>\n')).stdout).toBe('<think>\nHé!\n');
  expect(JSON.parse((await cli(['--json'], new Map(), '<think>\n')).stdout)).toMatchObject({ text: '<think>\nHé!' });
});

test('--json gives text, ids, counters, memory, timings and the adapter', async () => {
  const { stdout, requests } = await cli(['--json', '--temperature', '0.5', '--seed', '7', '--max-tokens', '9']);
  const document = JSON.parse(stdout) as Record<string, unknown>;
  expect(document).toMatchObject({
    text: 'Hé!',
    ids: [72, 233, 33, 0],
    promptIds: [1, 2],
    reason: 'end-token',
    counters: { decodeTokens: 4 },
    memory: { totalBytes: 5 },
    timings: { loadMs: 12, prefillMs: expect.any(Number), decodeTokensPerSecond: expect.any(Number) },
    adapter: { description: 'Fake', software: true },
  });
  expect(requests[0]).toMatchObject({ maxTokens: 9, sampling: { temperature: 0.5, seed: 7 } });
});

test('the model’s file names what no option does, and stderr says so', async () => {
  const metadata = new Map<string, GgufValue>([
    ['general.sampling.temp', Math.fround(0.6)],
    ['general.sampling.top_p', 0.5],
    ['general.sampling.top_k', 'many'],
  ]);
  const { requests, stderr } = await cli(['--top-p', '0.9'], metadata);
  expect(requests[0].sampling).toEqual({ temperature: 0.6, topK: 40, topP: 0.9, minP: 0.05, seed: 0 });
  expect(stderr).toContain('From the model: temperature 0.6.');
  expect(stderr).toContain('general.sampling.top_k is "many", which is not used');
});

test.each([
  [['--temperature', '-1'], '--temperature is "-1"'],
  [['--top-p', '0'], '--top-p is "0"'],
  [['--max-tokens', '0'], '--max-tokens is "0"'],
  [['--kv-type', 'q4_0'], '--kv-type is "q4_0"'],
])('%j is a usage error', async (args, message) => {
  const { exitCode, stderr, stdout } = await cli(args);
  expect([exitCode, stdout]).toEqual([2, '']);
  expect(stderr).toContain(message);
});
