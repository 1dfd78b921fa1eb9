import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { indexed, writeDocument } from '../../tests/documents/support.ts';
import { temporaryFolder } from '../../tests/fixtures-services/temporary-folder.ts';
import { testServices, type TestServices } from '../../tests/fixtures-services/test-services.ts';

let folder: ReturnType<typeof temporaryFolder>;
let open: TestServices[] = [];
beforeEach(() => void (folder = temporaryFolder()));
afterEach(async () => {
  for (const { services } of open) await services.close();
  open = [];
  folder.remove();
});

async function setUp(): Promise<TestServices> {
  const t = testServices(path.join(folder.path, 'data'));
  open.push(t);
  await t.services.start();
  return t;
}

const file = (name: string, content: string | Uint8Array) => writeDocument(folder.path, name, content);

test('a folder is walked, read by the worker and searched; what cannot be read stops nothing', async () => {
  file(
    'Überblick.md',
    '# Leuchtturm\n\nDer Leuchtturm wurde 1887 gebaut.\n\n## Höhe\n\nHe is 42 metres high. The lamp burns oil.\n',
  );
  file('sub/notes.txt', 'The lighthouse keeper has a cat named Tibbles.\n');
  file('sub/broken.pdf', 'not a pdf at all');
  file('.git/config.txt', 'hidden');
  file('node_modules/x/index.js', 'hidden');
  file('picture.png', 'no document');
  const t = await setUp();
  const { id: collectionId } = await t.request('documents.createCollection', { name: ' Lighthouses ' });
  const taken = await t.request('documents.add', { collectionId, paths: [path.join(folder.path, 'Meine Dokumente')] });
  expect(taken.refused).toEqual([]);
  expect(taken.added.map(({ title }) => title).sort()).toEqual(['broken.pdf', 'notes.txt', 'Überblick.md']);
  const documents = await indexed(t, collectionId);
  expect(documents.map(({ title, status, chunks, error }) => [title, status, chunks, error?.code ?? null])).toEqual([
    ['Leuchtturm', 'ready', 2, null],
    ['broken.pdf', 'failed', 0, 'document.damaged'],
    ['notes.txt', 'ready', 1, null],
  ]);
  expect(documents[1].error?.message).toContain('broken.pdf');
  const [collection] = await t.request('documents.collections', {});
  expect(collection).toMatchObject({ name: 'Lighthouses', documents: 3, pending: 0, failed: 1, chunks: 3 });
  const text = await t.request('documents.text', { documentId: documents[0].id });
  expect(text.text).toContain('42 metres');
  expect(text.pages).toEqual([{ page: null, start: 0, end: text.text.length }]);
  const names = new Set(t.events.map((event) => event.name));
  expect(names).toContain('documents.document');
  expect(names).toContain('documents.changed');
});

test('a file is taken once; changed on disk it is marked at the next start and read again on request', async () => {
  const place = file('a.md', 'The first version.');
  const first = await setUp();
  const { id: collectionId } = await first.request('documents.createCollection', { name: 'C' });
  await first.request('documents.add', { collectionId, paths: [place] });
  const [{ id: documentId }] = await indexed(first, collectionId);
  const again = await first.request('documents.add', {
    collectionId,
    paths: [place, path.join(folder.path, 'nothing.md'), folder.path + '/data/lock.sqlite'],
  });
  expect(again.added).toEqual([]);
  expect(again.refused.map(({ error }) => error.code).sort()).toEqual([
    'document.duplicate',
    'document.kind',
    'document.missing',
  ]);
  open = [];
  await first.services.close();
  writeFileSync(place, 'The second version, longer.');
  utimesSync(place, 1000, 1000);
  const second = await setUp();
  await second.until(() => second.events.some(({ name }) => name === 'documents.document'), 'the change');
  expect(await second.request('documents.list', { collectionId })).toMatchObject([{ status: 'changed', chunks: 1 }]);
  await second.request('documents.retry', { documentId });
  await indexed(second, collectionId);
  expect((await second.request('documents.text', { documentId })).text).toBe('The second version, longer.');
  open = [];
  await second.services.close();
  rmSync(place);
  const third = await setUp();
  await third.until(() => third.events.some(({ name }) => name === 'documents.document'), 'the loss');
  expect(await third.request('documents.list', { collectionId })).toMatchObject([{ status: 'missing', chunks: 1 }]);
  await expect(third.request('documents.retry', { documentId })).rejects.toMatchObject({ code: 'document.missing' });
});

test('cancelling takes what waits out of the queue; removing and deleting leave nothing behind', async () => {
  const t = await setUp();
  const { id: collectionId } = await t.request('documents.createCollection', { name: 'C' });
  const paths = Array.from({ length: 30 }, (_, i) => file(`${i}.txt`, `Sentence number ${i}. `.repeat(2000)));
  await t.request('documents.add', { collectionId, paths });
  await t.request('documents.cancel', { collectionId });
  const left = await indexed(t, collectionId);
  expect(left.length).toBeLessThan(30);
  await t.request('documents.add', { collectionId, paths: paths.slice(0, 2) });
  const documents = await indexed(t, collectionId);
  expect(documents.every(({ status, chunks }) => status === 'ready' && chunks > 0)).toBe(true);
  await t.request('documents.remove', { documentId: documents[0].id });
  await t.request('documents.deleteCollection', { collectionId });
  expect(await t.request('documents.collections', {})).toEqual([]);
  await expect(t.request('documents.list', { collectionId })).rejects.toMatchObject({ code: 'collection.missing' });
  await expect(t.request('documents.text', { documentId: documents[0].id })).rejects.toMatchObject({ code: 'document.missing' });
});

test('a document’s file is shown in its folder where the host can, while it is there', async () => {
  const shown: string[] = [];
  const t = testServices(path.join(folder.path, 'data'), 'plain', { showInFolder: (place) => shown.push(place) });
  open.push(t);
  await t.services.start();
  const { id: collectionId } = await t.request('documents.createCollection', { name: 'C' });
  const place = file('Größe.md', '# Here');
  await t.request('documents.add', { collectionId, paths: [place] });
  const [{ id: documentId, path: kept }] = await indexed(t, collectionId);
  await t.request('documents.reveal', { documentId });
  expect(shown).toEqual([kept]);
  rmSync(place);
  await expect(t.request('documents.reveal', { documentId })).rejects.toMatchObject({ code: 'document.missing' });
  await expect(t.request('documents.reveal', { documentId: 'none' })).rejects.toMatchObject({ code: 'document.missing' });
  expect(shown).toHaveLength(1);
});

test('a host that cannot show a file in its folder says so', async () => {
  const t = await setUp();
  await expect(t.request('documents.reveal', { documentId: 'any' })).rejects.toMatchObject({ code: 'host.unsupported' });
});
