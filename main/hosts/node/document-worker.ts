/** The document worker from its TypeScript sources: browser host, command line and tests. */
import { workerFrom } from '../../documents/start-worker.ts';

export const startDocumentWorker = workerFrom(new URL('../../documents/worker.ts', import.meta.url));
