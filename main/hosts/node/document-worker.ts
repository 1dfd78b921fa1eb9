/** The document worker from its TypeScript sources: browser host, command line and tests. */
import { Worker } from 'node:worker_threads';
import { LIMITS } from '../../documents/limits.ts';
import type { StartDocumentWorker } from '../../documents/worker-protocol.ts';

export const startDocumentWorker: StartDocumentWorker = (settings) =>
  new Worker(new URL('../../documents/worker.ts', import.meta.url), {
    workerData: settings,
    resourceLimits: { maxOldGenerationSizeMb: LIMITS.workerHeapMb },
  });
