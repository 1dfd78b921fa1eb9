import { expect, test } from 'vitest';
import { engineError } from '../../../gpu/errors.ts';
import type { CliCommand, CliContext } from './command.ts';
import { runCli } from './main.ts';

function fakeCommand(run: (context: CliContext) => Promise<number>): CliCommand {
  return {
    name: 'inspect',
    usage: 'MODEL [--count N]',
    summary: 'A command for tests.',
    options: {
      count: { type: 'string', description: 'how many' },
      tokens: { type: 'string', description: 'ids' },
      prompt: { type: 'string', description: 'text' },
      size: { type: 'string', description: 'bytes' },
    },
    positionals: [1, 1],
    run,
  };
}

async function cli(args: string[], run: (context: CliContext) => Promise<number> = async () => 0) {
  let stdout = '';
  let stderr = '';
  const streams = { stdout: (text: string) => void (stdout += text), stderr: (text: string) => void (stderr += text) };
  const exitCode = await runCli(args, streams, new AbortController().signal, async () => fakeCommand(run));
  return { exitCode, stdout, stderr };
}

test('nothing, an unknown command and an unknown flag are usage errors with the usage', async () => {
  for (const args of [[], ['fly'], ['inspect', 'm.gguf', '--fly'], ['inspect'], ['inspect', 'a', 'b']]) {
    const { exitCode, stdout, stderr } = await cli(args);
    expect(exitCode, args.join(' ')).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: ');
  }
});

test('help is no error and comes on stdout', async () => {
  expect(await cli(['--help'])).toMatchObject({ exitCode: 0, stderr: '' });
  const { exitCode, stdout } = await cli(['inspect', '--help']);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('--count');
  expect(stdout).toContain('--gpu-budget SIZE');
});

test('--json prints one document and nothing else on stdout', async () => {
  const { stdout, stderr } = await cli(['inspect', 'm', '--json'], async (context) => {
    context.write('streamed');
    context.log('a log line');
    context.result({ answer: 42 }, 'plain');
    return 0;
  });
  expect(JSON.parse(stdout)).toEqual({ answer: 42 });
  expect(stderr).toBe('a log line\n');
});

test.each([
  [engineError('gguf.truncated', 'cut'), 3],
  [engineError('file.read', 'gone'), 3],
  [engineError('model.architecture', 'strange'), 3],
  [engineError('gpu.no-adapter', 'none'), 4],
  [engineError('engine.budget', 'small', { leastBytes: 7 }), 5],
  [engineError('gpu.out-of-memory', 'full'), 5],
  [new Error('bug'), 1],
])('%s becomes its exit code, and a document under --json', async (error, expected) => {
  const { exitCode, stdout, stderr } = await cli(['inspect', 'm', '--json'], () => Promise.reject(error));
  expect(exitCode).toBe(expected);
  expect(JSON.parse(stdout).error.message).toBe(error.message);
  expect(stderr).toContain(error.message);
});

test('flags: numbers, sizes, lists, values that start with a minus, common options', async () => {
  let seen: unknown;
  const args = ['inspect', 'm', '--count', '-3', '--tokens', '1,2 3', '--prompt', '-5 + 3', '--size', '1.5MiB', '--context=64'];
  const { exitCode } = await cli(args, async ({ flags, common }) => {
    seen = [
      flags.integer('count'),
      flags.integers('tokens'),
      flags.string('prompt'),
      flags.bytes('size'),
      common.contextTokens,
      common.kvType,
    ];
    return 0;
  });
  expect(exitCode).toBe(0);
  expect(seen).toEqual([-3, [1, 2, 3], '-5 + 3', 1572864, 64, 'f16']);
});

test('budgets are sizes or shares of what is free', async () => {
  const read = async (value: string) => {
    let seen: unknown;
    const { exitCode } = await cli(['inspect', 'm', '--gpu-budget', value], async ({ common }) => {
      seen = common.gpuBudget;
      return 0;
    });
    return exitCode === 0 ? seen : exitCode;
  };
  expect(await read('64MiB')).toEqual({ bytes: 64 * 2 ** 20 });
  expect(await read('62.5 %')).toEqual({ share: 0.625 });
  expect(await read('101%')).toBe(2);
  expect(await read('half')).toBe(2);
});

test.each([
  ['--count', 'many', (c: CliContext) => c.flags.integer('count')],
  ['--count', '1.5', (c: CliContext) => c.flags.integer('count')],
  ['--count', '9', (c: CliContext) => c.flags.integer('count', { max: 8 })],
  ['--tokens', '1,x', (c: CliContext) => c.flags.integers('tokens')],
  ['--size', '12 bananas', (c: CliContext) => c.flags.bytes('size')],
  ['--adapter', 'magic', () => 0],
  ['--kv', 'q3', () => 0],
  ['--kv-type', 'q3', () => 0],
])('%s %s is refused by name and value', async (option, value, read) => {
  const { exitCode, stderr } = await cli(['inspect', 'm', option, value], async (context) => {
    read(context);
    return 0;
  });
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`${option} is "${value}"`);
});
