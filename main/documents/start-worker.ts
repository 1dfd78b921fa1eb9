/** Starts the document worker with its limit on memory, from wherever a host has its program. */
import { Worker } from 'node:worker_threads';
import { LIMITS } from './limits.ts';
import type { StartDocumentWorker } from './worker-protocol.ts';

export function workerFrom(program: string | URL): StartDocumentWorker {
  return (settings) =>
    new Worker(program, { workerData: settings, resourceLimits: { maxOldGenerationSizeMb: LIMITS.workerHeapMb } });
}
