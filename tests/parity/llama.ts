/** llama.cpp as the oracle: where it is installed, and a child process that answers with raw logits. */
import { fork, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LlamaAnswer, LlamaJob } from './llama-worker.ts';

/** Outside the repository: 725 MB with every optional package, and only this harness needs it. */
export function llamaFolder(): string {
  return process.env.CONCLAVE_PARITY_DIR ?? path.join(os.homedir(), '.cache', 'conclave', 'llama');
}

/** A sentence saying why llama.cpp cannot be used, or undefined when it is there (installing it first where asked). */
export function prepareLlama(install: boolean): string | undefined {
  const folder = llamaFolder();
  const entry = path.join(folder, 'node_modules', 'node-llama-cpp', 'package.json');
  if (existsSync(entry)) return undefined;
  if (!install) return `llama.cpp is not installed in ${folder}: run this again with --install (725 MB)`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  // npm is a .cmd on Windows, which needs a shell; the arguments hold nothing that a shell would read.
  const result = spawnSync('npm', ['install', '--ignore-scripts', 'node-llama-cpp'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (existsSync(entry)) return undefined;
  return `npm install node-llama-cpp in ${folder} failed (exit ${result.status}${result.error ? `, ${result.error.message}` : ''})`;
}

export interface LlamaOracle {
  /** Raw logits [tokens + generated, V] and the greedy ids that were appended. */
  evaluate(job: LlamaJob): Promise<{ logits: Float32Array; generated: number[] }>;
  close(): void;
}

/** Starts the child on first use and again after it died. One job at a time. */
export function createLlamaOracle(): LlamaOracle {
  let child: ChildProcess | undefined;
  const start = () => {
    const worker = fileURLToPath(new URL('./llama-worker.ts', import.meta.url));
    child = fork(worker, [llamaFolder()], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    return child;
  };
  return {
    evaluate: (job) =>
      new Promise((resolve, reject) => {
        const running = child ?? start();
        const done = () => {
          running.off('message', onMessage);
          running.off('exit', onExit);
        };
        const onMessage = (answer: LlamaAnswer) => {
          done();
          if ('error' in answer) reject(new Error(`llama.cpp: ${answer.error}`));
          else resolve(answer);
        };
        const onExit = (code: number | null, signal: string | null) => {
          done();
          child = undefined;
          reject(new Error(`llama.cpp ended while it evaluated ${job.file} (${signal ?? `exit ${code}`})`));
        };
        running.on('message', onMessage);
        running.on('exit', onExit);
        running.send(job);
      }),
    close() {
      child?.disconnect();
      child = undefined;
    },
  };
}
