/** Looking up, downloading, keeping and removing through the services, against a server that acts as Hugging Face does. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileServer, modelBytes, sha256Of } from '../../tests/fixtures-services/file-server.ts';
import { temporaryFolder } from '../../tests/fixtures-services/temporary-folder.ts';
import { testServices, type TestServices } from '../../tests/fixtures-services/test-services.ts';

let folder: ReturnType<typeof temporaryFolder>;
let server: FileServer;
let open: TestServices[] = [];
beforeEach(async () => {
  folder = temporaryFolder();
  server = await FileServer.start();
});
afterEach(async () => {
  for (const { services, clock } of open) await Promise.all([services.close(), clock.advance(10_000)]);
  open = [];
  await server.close();
  folder.remove();
});

async function setUp(): Promise<TestServices> {
  const t = testServices(folder.path, 'plain', { huggingFace: server.origin });
  open.push(t);
  await t.services.start();
  return t;
}

const listing = (entries: readonly object[]) => new TextEncoder().encode(JSON.stringify(entries));
const tree = '/api/models/ada/mixture-GGUF/tree/main?recursive=true';

test('nothing is contacted by starting, listing or looking at the catalogue', async () => {
  const t = await setUp();
  await t.request('library.catalogue', {});
  await t.request('downloads.list', {});
  await t.request('library.list', {});
  expect(server.seen).toEqual([]);
});

test('a repository: whole models, smallest first, without projectors and half ones', async () => {
  const t = await setUp();
  server.serve(
    tree,
    listing([
      { type: 'directory', path: 'big', size: 0 },
      { type: 'file', path: 'README.md', size: 10 },
      { type: 'file', path: 'm-Q8_0.gguf', size: 800 },
      { type: 'file', path: 'm-Q4_K_M.gguf', size: 400, lfs: { oid: 'a'.repeat(64) } },
      { type: 'file', path: 'mmproj-m-f16.gguf', size: 5 },
      { type: 'file', path: 'big/m-F16-00002-of-00002.gguf', size: 900 },
      { type: 'file', path: 'big/m-F16-00001-of-00002.gguf', size: 1000 },
      { type: 'file', path: 'half-00001-of-00002.gguf', size: 1 },
      { type: 'file', path: '../../etc/x.gguf', size: 1 },
      'nonsense',
    ]),
  );
  const found = await t.request('library.lookUp', { repository: 'ada/mixture-GGUF', revision: 'main' });
  expect(found.files.map(({ name, parts, sizeBytes }) => [name, parts, sizeBytes])).toEqual([
    ['m-Q4_K_M.gguf', 1, 400],
    ['m-Q8_0.gguf', 1, 800],
    ['big/m-F16-00001-of-00002.gguf', 2, 1900],
  ]);
  expect(found.files[0].fit.text).toContain('Fits into');
});

test.each([
  ['a list of something else', { body: '{"error":1}' }, 'download.server'],
  ['no JSON', { body: '<html>' }, 'download.server'],
  ['a gated repository', { status: 401 }, 'download.refused'],
  ['no such repository', { status: 404 }, 'download.not-found'],
  ['too many requests', { status: 429 }, 'download.network'],
])('%s is told as it is', async (_, { status = 200, body = '' }: { status?: number; body?: string }, code) => {
  const t = await setUp();
  server.serve(tree, new Uint8Array()).statuses.push({ status, body });
  await expect(t.request('library.lookUp', { repository: 'ada/mixture-GGUF', revision: 'main' })).rejects.toMatchObject({ code });
});

test('a server out of reach is told as such', async () => {
  const t = await setUp();
  await server.close();
  await expect(t.request('library.lookUp', { repository: 'ada/mixture-GGUF', revision: 'main' })).rejects.toMatchObject({
    code: 'download.network',
  });
  server = await FileServer.start();
});

test('what a page asks for is checked before anything is done', async () => {
  const t = await setUp();
  const attempt = (source: unknown) => t.services.handle('downloads.start', { source });
  for (const source of [
    { kind: 'url', url: 'http://example.org/m.gguf', sha256: null },
    { kind: 'url', url: 'https://example.org/m.gguf', sha256: 'abc' },
    { kind: 'url', url: 'file:///etc/passwd', sha256: null },
    { kind: 'hugging-face', repository: '../..', revision: 'main', file: 'm.gguf' },
    { kind: 'hugging-face', repository: 'a/b', revision: 'main', file: '../m.gguf' },
    { kind: 'hugging-face', repository: 'a/b', revision: '..', file: 'm.gguf' },
    { kind: 'catalogue', entryId: 'none', fileName: 'm.gguf' },
    { kind: 'other' },
  ])
    await expect(attempt(source), JSON.stringify(source)).rejects.toMatchObject({
      code: expect.stringMatching(/^(request\.invalid|download\.source)$/) as string,
    });
  expect(await t.request('downloads.list', {})).toEqual([]);
  expect(server.seen).toEqual([]);
});

test('a download becomes a model of the app’s own, with details; removing it deletes it and its folder', async () => {
  const t = await setUp();
  const bytes = modelBytes(5000, 1);
  server.serve('/ada/mixture-GGUF/resolve/main/m.gguf', bytes, { linkedSha256: sha256Of(bytes) });
  server.redirects.set('/ada/mixture-GGUF/resolve/main/m.gguf', '/cdn');
  server.serve('/cdn', bytes);
  await t.request('downloads.start', {
    source: { kind: 'hugging-face', repository: 'ada/mixture-GGUF', revision: 'main', file: 'm.gguf' },
  });
  await t.until(() => t.events.some(({ name }) => name === 'downloads.finished'), 'the end');
  const [model] = await t.request('library.list', {});
  expect(model).toMatchObject({ name: 'm', status: 'usable', owned: true, builtIn: false, sizeBytes: 5000 });
  expect(model.path).toBe(path.join(folder.path, 'models', 'ada--mixture-GGUF', 'm.gguf'));
  expect(await t.request('library.details', { modelId: model.id })).toMatchObject({
    owned: true,
    paths: [model.path],
    experts: { count: 4, used: 2 },
  });
  await t.request('library.remove', { modelId: model.id });
  expect(existsSync(model.path)).toBe(false);
  expect(readdirSync(path.join(folder.path, 'models'))).toEqual([]);
});

test('a file that the engine cannot use is kept and says why', async () => {
  const t = await setUp();
  t.files.inspect = () => Promise.reject(new Error('unknown architecture'));
  server.serve('/m.gguf', modelBytes(5000, 2));
  await t.request('downloads.start', { source: { kind: 'url', url: `${server.origin}/m.gguf`, sha256: null } });
  await t.until(() => t.events.some(({ name }) => name === 'downloads.finished'), 'the end');
  const [model] = await t.request('library.list', {});
  expect(model).toMatchObject({ status: 'unusable', owned: true, sizeBytes: 5000, problem: { message: 'unknown architecture' } });
  expect(existsSync(model.path)).toBe(true);
});
