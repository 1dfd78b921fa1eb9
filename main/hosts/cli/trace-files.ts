/** Routing traces on disk: written in pieces while a recording runs, read without holding the text. */
import { open, type FileHandle } from 'node:fs/promises';
import { engineError } from '../../../gpu/errors.ts';
import type { RoutingTrace } from '../../../gpu/residency/policy/trace.ts';
import { TraceParser, type TextSink } from '../../../gpu/residency/policy/trace-format.ts';
import { UsageError } from './command.ts';

/** Text gathered before it goes to the disk. */
const PIECE_CHARS = 2 ** 16;

export interface TraceSink extends TextSink {
  /** Writes what is still held. */
  close(): Promise<void>;
}

/** Rejects with UsageError when `path` cannot be written. */
export async function openTraceSink(path: string): Promise<TraceSink> {
  const handle = await orUsageError(path, open(path, 'w'));
  let held = '';
  const flush = async () => {
    const text = held;
    held = '';
    await orUsageError(path, handle.appendFile(text));
  };
  return {
    async write(text) {
      held += text;
      if (held.length >= PIECE_CHARS) await flush();
    },
    async close() {
      await flush().finally(() => handle.close());
    },
  };
}

async function orUsageError<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new UsageError(`--trace ${path} cannot be written: ${(error as Error).message}.`);
  }
}

/** Rejects with `file.read` or `trace.damaged`. */
export async function readTrace(path: string): Promise<RoutingTrace> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    throw engineError('file.read', `${path} could not be opened: ${(error as Error).message}.`, { path }, error);
  }
  const parser = new TraceParser(path);
  try {
    for await (const piece of handle.createReadStream({ encoding: 'utf8', highWaterMark: 2 ** 20 })) parser.push(piece as string);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'trace.damaged') throw error;
    throw engineError('file.read', `${path} could not be read: ${(error as Error).message}.`, { path }, error);
  } finally {
    await handle.close();
  }
  return parser.end();
}
