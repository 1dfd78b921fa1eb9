/** For tests of documents: files in a folder with an awkward name, and waiting until all of a collection is read. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { DocumentEntry } from '../../main/contract/documents.ts';
import type { TestServices } from '../fixtures-services/test-services.ts';

export function writeDocument(folder: string, name: string, content: string | Uint8Array): string {
  const place = path.join(folder, 'Meine Dokumente', name);
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(place, content);
  return place;
}

/** The worker's time is the machine's, so this waits on it, up to half a minute. */
export async function indexed(t: TestServices, collectionId: string): Promise<readonly DocumentEntry[]> {
  for (const deadlineMs = Date.now() + 30_000; ;) {
    const documents = await t.request('documents.list', { collectionId });
    if (documents.every(({ status }) => status !== 'queued' && status !== 'reading')) return documents;
    if (Date.now() > deadlineMs) throw new Error(`still waiting: ${JSON.stringify(documents)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A collection of files, read. Returns its id. */
export async function collectionOf(t: TestServices, paths: readonly string[]): Promise<string> {
  const { id: collectionId } = await t.request('documents.createCollection', { name: 'Documents' });
  await t.request('documents.add', { collectionId, paths });
  await indexed(t, collectionId);
  return collectionId;
}
