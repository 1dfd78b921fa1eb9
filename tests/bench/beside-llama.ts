/**
 * `node main/hosts/launcher/with-node.mjs tests/bench/beside-llama.ts [MODEL.gguf] [--prompt-tokens N --new-tokens N --rounds R --install]`: decode and
 * prefill tokens/s of our engine on lavapipe and SwiftShader beside llama.cpp's Vulkan backend on lavapipe and its CPU backend. Rounds take
 * turns, so that whatever else the machine does falls on all alike; what counts are the ratios. Without MODEL: the generated speed model.
 */
import { execFile, fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { vulkanEnvironment } from '../../main/hosts/launcher/vulkan.mjs';
import { median } from '../../main/hosts/cli/commands/bench.ts';
import { openModelFile } from '../../main/library/model-file.ts';
import { readModel } from '../../gpu/architectures/read-model.ts';
import { speedModel } from '../fixtures/tiny-model.ts';
import { llamaFolder, prepareLlama } from '../parity/llama.ts';
import type { LlamaRound, LlamaTimes } from './llama-speed-worker.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'prompt-tokens': { type: 'string', default: '64' },
    'new-tokens': { type: 'string', default: '32' },
    rounds: { type: 'string', default: '3' },
    install: { type: 'boolean', default: false },
  },
});
const job: LlamaRound = { promptTokens: Number(values['prompt-tokens']), newTokens: Number(values['new-tokens']) };

interface Speed {
  readonly prefill: number;
  readonly decode: number;
}
interface Runner {
  /** Complete after its first round. */
  readonly name: string;
  round(): Promise<Speed>;
  close(): void;
}

const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave-bench-'));
const runners: Runner[] = [];
try {
  const file = positionals[0] ?? path.join(folder, 'speed.gguf');
  if (!positionals[0]) writeFileSync(file, speedModel());
  const opened = await openModelFile(file);
  const { vocabularySize } = readModel(opened.file);
  await opened.close();
  const missing = prepareLlama(values.install);
  if (missing) throw new Error(missing);
  runners.push(ours('lavapipe', file), ours('swiftshader', file));
  for (const gpu of ['vulkan', 'cpu']) runners.push(await llama(gpu, file, vocabularySize));
  const speeds = new Map<Runner, Speed[]>(runners.map((runner) => [runner, []]));
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const runner of runners) {
      const speed = await runner.round();
      const counts = round > 0;
      console.error(
        `${counts ? `round ${round}` : 'warm-up'}: ${runner.name}: decode ${speed.decode.toFixed(2)}, prefill ${speed.prefill.toFixed(1)} tokens/s`,
      );
      if (counts) speeds.get(runner)!.push(speed);
    }
  }
  print(speeds);
} finally {
  for (const runner of runners) runner.close();
  rmSync(folder, { recursive: true, force: true });
}

function ours(adapter: string, file: string): Runner {
  const launcher = fileURLToPath(new URL('../../main/hosts/launcher/with-node.mjs', import.meta.url));
  const cli = fileURLToPath(new URL('../../main/hosts/cli/cli.ts', import.meta.url));
  const flags = ['--prompt-tokens', `${job.promptTokens}`, '--new-tokens', `${job.newTokens}`, '--repeat', '1', '--json'];
  return {
    name: `Conclave, ${adapter}`,
    async round() {
      const { stdout } = await promisify(execFile)(process.execPath, [
        launcher,
        cli,
        'bench',
        file,
        ...flags,
        '--adapter',
        adapter,
      ]);
      const { decodeTokensPerSecond, prefillTokensPerSecond } = JSON.parse(stdout) as Record<string, number>;
      return { decode: decodeTokensPerSecond, prefill: prefillTokensPerSecond };
    },
    close: () => undefined,
  };
}

async function llama(gpu: string, file: string, vocabularySize: number): Promise<Runner> {
  const worker = fileURLToPath(new URL('./llama-speed-worker.ts', import.meta.url));
  const env = { ...process.env, ...(gpu === 'vulkan' ? { ...vulkanEnvironment('lavapipe'), GGML_VK_VISIBLE_DEVICES: '0' } : {}) };
  const child = fork(worker, [llamaFolder(), file, gpu, `${vocabularySize}`], {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const next = () =>
    new Promise<unknown>((resolve, reject) => {
      const onExit = (code: number | null, signal: string | null) =>
        reject(new Error(`llama.cpp (${gpu}) ended: ${signal ?? `exit ${code}`}`));
      child.once('exit', onExit);
      child.once('message', (message) => {
        child.off('exit', onExit);
        resolve(message);
      });
    });
  await next();
  const runner = {
    name: `llama.cpp, ${gpu}`,
    async round() {
      const answer = next();
      child.send(job);
      const times = (await answer) as LlamaTimes | { error: string };
      if ('error' in times) throw new Error(`llama.cpp (${gpu}): ${times.error}`);
      runner.name = `llama.cpp, ${gpu} (${times.device})`;
      return { prefill: (job.promptTokens * 1000) / times.prefillMs, decode: ((job.newTokens - 1) * 1000) / times.decodeMs };
    },
    close: () => child.disconnect(),
  };
  return runner;
}

function print(speeds: ReadonlyMap<Runner, readonly Speed[]>): void {
  const rows = [...speeds].map(([{ name }, all]) => ({
    name,
    decode: median(all.map((s) => s.decode)),
    prefill: median(all.map((s) => s.prefill)),
  }));
  const first = rows[0];
  console.log(
    `${job.promptTokens} prompt tokens, ${job.newTokens} new, medians of ${values.rounds} rounds in turns; ratios to the first line`,
  );
  for (const { name, decode, prefill } of rows)
    console.log(
      `${name.padEnd(44)} decode ${decode.toFixed(2).padStart(7)} tokens/s (${(decode / first.decode).toFixed(2)})   prefill ${prefill.toFixed(1).padStart(7)} (${(prefill / first.prefill).toFixed(2)})`,
    );
}
