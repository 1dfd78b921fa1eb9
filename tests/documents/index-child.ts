/**
 * `node index-child.ts DATA FILES [EVENTS SPIN_MS]`: the services index a folder, as after each start, and end when all is read; or kill
 * themselves with SIGKILL SPIN_MS after so many reports of progress, while the worker goes on.
 */
import { openBetterSqlite3 } from '../../main/database/better-sqlite3.ts';
import { systemClock } from '../../main/clock.ts';
import type { Collection, DocumentEntry } from '../../main/contract/documents.ts';
import { startDocumentWorker } from '../../main/hosts/node/document-worker.ts';
import { createServices } from '../../main/services.ts';
import { FakeEngine } from '../fixtures-services/fake-engine.ts';
import { FakeModelFiles } from '../fixtures-services/fake-models.ts';
import { testHost } from '../fixtures-services/test-services.ts';

const [data, files, events, spinMs] = process.argv.slice(2);
const services = createServices({
  host: testHost(data),
  engine: new FakeEngine(systemClock),
  files: new FakeModelFiles(),
  openConnection: openBetterSqlite3,
  builtInModelsFolder: null,
  startDocumentWorker,
});
let left = events === undefined ? Infinity : Number(events);
services.on((event) => {
  if (event.name !== 'documents.progress' || --left > 0) return;
  const end = performance.now() + Number(spinMs);
  while (performance.now() < end); // this thread stands still: nothing it could do comes between
  process.kill(process.pid, 'SIGKILL');
});
await services.start();
const known = (await services.handle('documents.collections', {})) as readonly Collection[];
const { id: collectionId } = known[0] ?? ((await services.handle('documents.createCollection', { name: 'C' })) as Collection);
await services.handle('documents.add', { collectionId, paths: [files] });
for (;;) {
  const documents = (await services.handle('documents.list', { collectionId })) as readonly DocumentEntry[];
  if (documents.every(({ status }) => status !== 'queued' && status !== 'reading')) break;
  await new Promise((resolve) => setTimeout(resolve, 50));
}
await services.close();
process.exit(0);
