/** Runs answer-worker.ts and watches the memory of its processes, inside a memory limit where one is given. */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer } from './answer-worker.ts';
import type { MemoryGroup } from './memory-group.ts';
import { PssWatch, type SeenMemory } from './process-memory.ts';

export interface AnswerRequest {
  readonly model: string;
  readonly adapter: string;
  readonly gpuBytes: number;
  readonly ramBytes: number;
  readonly promptTokens: number;
  readonly newTokens: number;
  /** Tokens answered before, which do not count; default none. */
  readonly warmTokens?: number;
  /** Tokens whose routing the plan's hit rates come from; default none. */
  readonly recordedTokens?: number;
  /** Default 0: greedy. */
  readonly temperature?: number;
  /** Where link speeds are kept from one run to the next. */
  readonly dataFolder: string;
  readonly group?: MemoryGroup;
  readonly everyMs?: number;
  /** Then what there is of the answer counts. */
  readonly limitSeconds?: number;
}

export interface WatchedAnswer {
  readonly answer: Answer;
  /** Pss of launcher and worker together. */
  readonly pss: SeenMemory;
}

/** Rejects where the worker ends without an answer. */
export async function watchedAnswer(request: AnswerRequest): Promise<WatchedAnswer> {
  const { model, adapter, gpuBytes, ramBytes, promptTokens, newTokens, dataFolder } = request;
  const budgets = ['--gpu', `${gpuBytes}`, '--ram', `${ramBytes}`];
  const limit = ['--limit', `${request.limitSeconds ?? Infinity}`];
  const sizes = ['--prompt', `${promptTokens}`, '--tokens', `${newTokens}`, '--data', dataFolder];
  const recorded = ['--recorded', `${request.recordedTokens ?? 0}`];
  const more = [...recorded, '--warm', `${request.warmTokens ?? 0}`, '--temperature', `${request.temperature ?? 0}`];
  const start = () => startWorker([model, '--adapter', adapter, ...budgets, ...sizes, ...more, ...limit]);
  const child = request.group ? request.group.around(start) : start();
  const watch = new PssWatch(child.pid!, request.everyMs ?? 1000);
  try {
    const line = await lastLine(child);
    return { answer: JSON.parse(line) as Answer, pss: watch.stop() };
  } finally {
    watch.stop();
  }
}

/** Pss of launcher and worker with nothing but an open device. */
export async function adapterBaselineBytes(adapter: string): Promise<number> {
  const child = startWorker(['--adapter', adapter]);
  await new Promise<void>((resolve, reject) => {
    child.stdout!.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`The device could not be opened: exit code ${code}.`)));
  });
  const watch = new PssWatch(child.pid!, 1000);
  const { peakBytes } = watch.stop();
  child.removeAllListeners('exit');
  child.stdin!.end();
  await new Promise((resolve) => child.once('close', resolve));
  return peakBytes;
}

function startWorker(args: readonly string[]): ChildProcess {
  const launcher = fileURLToPath(new URL('../../main/hosts/launcher/with-node.mjs', import.meta.url));
  const worker = fileURLToPath(new URL('./answer-worker.ts', import.meta.url));
  return spawn(process.execPath, [launcher, worker, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
}

function lastLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(text.trim().split('\n').at(-1) ?? '');
      else reject(new Error(`The worker ended: ${signal ?? `exit code ${code}`}.`));
    });
  });
}
