import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileServer, modelBytes, sha256Of } from '../../../tests/fixtures-services/file-server.ts';
import { temporaryFolder } from '../../../tests/fixtures-services/temporary-folder.ts';
import { waitFor } from '../../../tests/fixtures-services/wait-for.ts';
import type { Clock } from '../../clock.ts';
import type { DownloadEntry, DownloadSource } from '../../contract/downloads.ts';
import { listDownloadFiles, listDownloads, saveDownloadFile, setDownloadState } from '../../database/downloads.ts';
import type { OpenDatabase } from '../../database/open.ts';
import { openTestDatabase } from '../../database/test-database.ts';
import { EventBus, type AnyEvent } from '../../event-bus.ts';
import type { CatalogueModel } from '../catalogue.ts';
import { DownloadService } from './downloads.ts';
import type { Fetch } from './remote.ts';

const SIZE = 600_000;
let folder: ReturnType<typeof temporaryFolder>;
let server: FileServer;
let database: OpenDatabase;
let open: DownloadService[] = [];

beforeEach(async () => {
  folder = temporaryFolder();
  server = await FileServer.start();
  database = openTestDatabase(folder.path);
});
afterEach(async () => {
  for (const service of open) await service.close();
  open = [];
  database.close();
  await server.close();
  folder.remove();
});

/** Real time passes; waits between tries are noted and over at once, a stall is never noticed. */
class HastyClock implements Clock {
  readonly waitsMs: number[] = [];
  nowMs = () => Math.round(performance.now());
  after(delayMs: number, run: () => void): () => void {
    if (delayMs >= 60_000) return () => {};
    this.waitsMs.push(delayMs);
    const timer = setTimeout(run, 1);
    return () => clearTimeout(timer);
  }
}

interface SetUp {
  readonly service: DownloadService;
  readonly clock: HastyClock;
  readonly events: AnyEvent[];
  readonly adopted: string[];
  readonly at: (...parts: string[]) => string;
  start(source: DownloadSource): DownloadEntry;
  url(name: string, sha256?: string | null): DownloadSource;
  only(): DownloadEntry;
  ended(): Promise<void>;
}

async function setUp(options: { fetch?: Fetch; catalogue?: readonly CatalogueModel[] } = {}): Promise<SetUp> {
  const events: AnyEvent[] = [];
  const bus = new EventBus();
  bus.on((event) => events.push(event));
  const clock = new HastyClock();
  const adopted: string[] = [];
  let nIds = listDownloads(database.db).length;
  const at = (...parts: string[]) => path.join(folder.path, ...parts);
  const service = new DownloadService({
    db: database.db,
    events: bus,
    clock,
    newId: () => `d${++nIds}`,
    fetch: options.fetch ?? globalThis.fetch,
    huggingFace: server.origin,
    catalogue: options.catalogue ?? [],
    partsFolder: at('downloads'),
    modelsFolder: at('models'),
    adopt: (filePath) => {
      adopted.push(filePath);
      return Promise.resolve(`model of ${path.basename(filePath)}`);
    },
  });
  open.push(service);
  await service.open();
  return {
    service,
    clock,
    events,
    adopted,
    at,
    start: (source) => service.start(source),
    url: (name, sha256 = null) => ({ kind: 'url', url: `${server.origin}/${name}`, sha256 }),
    only: () => service.list()[0],
    ended: () =>
      waitFor(
        () => service.isIdle && service.list().every(({ state }) => state === 'failed' || state === 'paused'),
        () => `the end (${JSON.stringify(service.list())})`,
      ),
  };
}

const place = (name: string) => path.join(folder.path, 'models', new URL(server.origin).host.replace(':', '_'), name);

test('a connection that is cut five times: goes on each time, no byte twice, hash equal', async () => {
  const bytes = modelBytes(SIZE, 1);
  server.serve('/m.gguf', bytes, { cuts: [50_000, 1, 200_000, 99_999, 100_000] });
  const t = await setUp();
  t.start(t.url('m.gguf', sha256Of(bytes)));
  await t.ended();
  expect(sha256Of(readFileSync(place('m.gguf')))).toBe(sha256Of(bytes));
  const gets = server.gets('/m.gguf');
  const starts = gets.map(({ range }) => Number(/\d+/.exec(range ?? '0')![0]));
  expect(gets).toHaveLength(6);
  expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  expect(starts.at(-1)).toBeGreaterThan(0);
  expect(gets.at(-1)!.ifRange).toBe(server.files.get('/m.gguf')!.etag);
  expect(t.clock.waitsMs).toHaveLength(5);
  expect(t.adopted).toEqual([place('m.gguf')]);
  expect(t.events.filter(({ name }) => name === 'downloads.finished')).toEqual([
    { name: 'downloads.finished', payload: { downloadId: 'd1', name: 'm', modelId: 'model of m.gguf' } },
  ]);
  expect(t.service.list()).toEqual([]);
  expect(readdirSync(t.at('downloads'))).toEqual([]);
});

test('a wrong checksum: refused, said, deleted, and fetched anew on resume', async () => {
  const bytes = modelBytes(SIZE, 2);
  const damaged = bytes.slice();
  damaged[SIZE - 1] ^= 1;
  server.serve('/m.gguf', damaged);
  const t = await setUp();
  t.start(t.url('m.gguf', sha256Of(bytes)));
  await t.ended();
  expect(t.only()).toMatchObject({ state: 'failed', receivedBytes: 0, error: { code: 'download.checksum' } });
  expect(t.only().error!.message).toContain(sha256Of(damaged));
  expect(t.adopted).toEqual([]);
  expect(existsSync(place('m.gguf'))).toBe(false);
  server.serve('/m.gguf', bytes);
  t.service.resume('d1');
  await t.ended();
  expect(sha256Of(readFileSync(place('m.gguf')))).toBe(sha256Of(bytes));
});

test('a server that ignores Range begins anew, without a mixture', async () => {
  const bytes = modelBytes(SIZE, 3);
  server.serve('/m.gguf', bytes, { ranges: false, cuts: [100_000, 300_000] });
  const t = await setUp();
  t.start(t.url('m.gguf'));
  await t.ended();
  expect(readFileSync(place('m.gguf')).equals(bytes)).toBe(true);
});

test('a file that changes in between begins anew; so does one that nothing tells apart', async () => {
  const t = await setUp();
  for (const etag of [undefined, null]) {
    const name = `m${String(etag)}.gguf`;
    const old = modelBytes(SIZE, 4);
    const bytes = modelBytes(SIZE + 10, 5);
    const served = server.serve(`/${name}`, old, { cuts: [100_000], ...(etag === null ? { etag } : {}) });
    served.statuses.push();
    t.start(t.url(name));
    await waitFor(() => server.gets(`/${name}`).length === 1, 'the first try');
    server.serve(`/${name}`, bytes, etag === null ? { etag } : {});
    await t.ended();
    expect(readFileSync(place(name)).equals(bytes)).toBe(true);
  }
});

test('pause keeps what came; after a restart it is hashed again and goes on there; cancel leaves nothing', async () => {
  const bytes = modelBytes(SIZE, 6);
  const served = server.serve('/m.gguf', bytes, { bytesPerSecond: 400_000 });
  const t = await setUp();
  t.start(t.url('m.gguf', sha256Of(bytes)));
  await waitFor(() => t.only().receivedBytes > 100_000, 'some bytes');
  await t.service.pause('d1');
  const { receivedBytes } = t.only();
  expect(t.only()).toMatchObject({ state: 'paused', totalBytes: SIZE, checksum: 'person' });
  await t.service.close();

  server.serve('/m.gguf', bytes, { etag: served.etag });
  const again = await setUp();
  expect(again.only()).toMatchObject({ state: 'paused', receivedBytes });
  expect(server.gets('/m.gguf')).toHaveLength(1); // nothing is contacted by itself
  again.service.resume('d1');
  await again.ended();
  expect(
    again.events.some(({ name, payload }) => name === 'downloads.changed' && payload.downloads[0]?.state === 'checking'),
  ).toBe(true);
  expect(server.gets('/m.gguf')[1].range).toBe(`bytes=${receivedBytes}-`);
  expect(sha256Of(readFileSync(place('m.gguf')))).toBe(sha256Of(bytes));

  server.serve('/n.gguf', bytes, { bytesPerSecond: 400_000 });
  again.start(again.url('n.gguf'));
  await waitFor(() => again.only().receivedBytes > 50_000, 'some bytes');
  await again.service.cancel(again.only().id);
  expect(again.service.list()).toEqual([]);
  expect(readdirSync(again.at('downloads'))).toEqual([]);
  await expect(again.service.cancel('d2')).rejects.toMatchObject({ code: 'download.missing' });
});

test('what is unfinished when the app ends is wanted at the next start; others wait their turn', async () => {
  const bytes = modelBytes(SIZE, 7);
  const served = server.serve('/a.gguf', bytes, { bytesPerSecond: 400_000 });
  server.serve('/b.gguf', bytes);
  const t = await setUp();
  t.start(t.url('a.gguf'));
  t.start(t.url('b.gguf'));
  await waitFor(() => t.only().receivedBytes > 50_000, 'some bytes');
  expect(t.service.list().map(({ state }) => state)).toEqual(['running', 'queued']);
  await t.service.close();
  server.serve('/a.gguf', bytes, { etag: served.etag });
  const again = await setUp();
  await again.ended();
  expect(again.adopted).toEqual([place('a.gguf'), place('b.gguf')]);
});

test('a kill between any two steps of the end: taken in once', async () => {
  const bytes = modelBytes(1000, 8);
  for (const step of ['whole', 'finishing', 'moved']) {
    const name = `${step}.gguf`;
    server.serve(`/${name}`, bytes);
    const t = await setUp();
    await t.service.close(); // so that `start` commits and nothing runs
    const { id } = t.start(t.url(name));
    const part = t.at('downloads', id, '0.part');
    mkdirSync(path.dirname(step === 'moved' ? place(name) : part), { recursive: true });
    writeFileSync(step === 'moved' ? place(name) : part, bytes);
    const [file] = listDownloadFiles(database.db, id);
    saveDownloadFile(database.db, { ...file, sizeBytes: 1000, durableBytes: 1000, done: true });
    if (step !== 'whole') setDownloadState(database.db, id, 'finishing', null);
    const again = await setUp();
    await again.ended();
    expect(again.adopted).toEqual([place(name)]);
    expect(server.gets(`/${name}`)).toEqual([]);
    expect(readFileSync(place(name)).equals(bytes)).toBe(true);
    await again.service.close();
  }
});

test('bytes that no commit vouches for are cut off; folders of no download are cleared away', async () => {
  const bytes = modelBytes(SIZE, 9);
  server.serve('/m.gguf', bytes);
  const t = await setUp();
  await t.service.close();
  const { id } = t.start(t.url('m.gguf', sha256Of(bytes)));
  mkdirSync(t.at('downloads', id), { recursive: true });
  mkdirSync(t.at('downloads', 'of nobody'));
  writeFileSync(t.at('downloads', id, '0.part'), Buffer.concat([bytes.subarray(0, 1000), Buffer.alloc(5000)]));
  saveDownloadFile(database.db, { ...listDownloadFiles(database.db, id)[0], durableBytes: 1000 });
  const again = await setUp();
  expect(readdirSync(again.at('downloads'))).toEqual([id]);
  await again.ended();
  expect(server.gets('/m.gguf')[0].range).toBe('bytes=1000-');
  expect(sha256Of(readFileSync(place('m.gguf')))).toBe(sha256Of(bytes));
});

test('all parts of a split model, from one commit, and the checksum that Hugging Face claims', async () => {
  const commit = 'a'.repeat(40);
  const names = [1, 2, 3].map((part) => `Q4/big-0000${part}-of-00003.gguf`);
  const parts = names.map((_, index) => modelBytes(1000 + index, 10 + index));
  for (const [index, name] of names.entries()) {
    server.serve(`/cdn/${index}`, parts[index]);
    for (const revision of ['main', commit]) {
      server.serve(`/ada/big-GGUF/resolve/${revision}/${name}`, parts[index], {
        linkedSha256: sha256Of(parts[index]),
        linkedCommit: commit,
      });
      server.redirects.set(`/ada/big-GGUF/resolve/${revision}/${name}`, `/cdn/${index}`);
    }
  }
  const t = await setUp();
  const entry = t.start({ kind: 'hugging-face', repository: 'ada/big-GGUF', revision: 'main', file: names[1] });
  expect(entry).toMatchObject({ name: 'big', files: 3, totalBytes: null });
  await t.ended();
  const folderName = t.at('models', 'ada--big-GGUF');
  expect(readdirSync(folderName).sort()).toEqual(names.map((name) => name.slice(3)));
  expect(t.adopted).toEqual([path.join(folderName, 'big-00001-of-00003.gguf')]);
  expect(server.seen.filter(({ url }) => url.includes('/resolve/main/'))).toHaveLength(1); // then the commit is known
  const running = t.events.flatMap(({ name, payload }) => (name === 'downloads.changed' ? [payload.downloads[0]] : []));
  expect(running.some((download) => download?.totalBytes === 3003)).toBe(true);
  expect(running.at(-2)).toMatchObject({ checksum: 'server' });
});

test('the file of the catalogue is held against its checksum before a byte is taken', async () => {
  const bytes = modelBytes(1000, 14);
  const file = 'm-Q4_K_M.gguf';
  server.serve(`/ada/m/resolve/main/${file}`, bytes, { linkedSha256: sha256Of(bytes) });
  server.redirects.set(`/ada/m/resolve/main/${file}`, '/cdn');
  server.serve('/cdn', bytes);
  const model = (sha256: string) =>
    ({
      id: 'm',
      name: 'M',
      repository: 'ada/m',
      revision: null,
      files: [{ quantisation: 'Q4_K_M', aboutBytes: null, parts: [{ name: file, sizeBytes: 1000, sha256 }] }],
    }) as unknown as CatalogueModel;
  const t = await setUp({ catalogue: [model('0'.repeat(64))] });
  t.start({ kind: 'catalogue', entryId: 'm', fileName: file });
  await t.ended();
  expect(t.only()).toMatchObject({
    name: 'M Q4_K_M',
    state: 'failed',
    checksum: 'catalogue',
    error: { code: 'download.checksum' },
  });
  await t.service.cancel('d1');
  const right = await setUp({ catalogue: [model(sha256Of(bytes))] });
  right.start({ kind: 'catalogue', entryId: 'm', fileName: file });
  await right.ended();
  expect(right.adopted).toHaveLength(1);
  expect(() => right.start({ kind: 'catalogue', entryId: 'x', fileName: file })).toThrow(
    expect.objectContaining({ code: 'download.source' }),
  );
});

test.each([
  [401, 'download.refused', 'gated'],
  [403, 'download.refused', 'gated'],
  [404, 'download.not-found', 'no such file'],
  [418, 'download.server', '418'],
])('status %i ends it at once: %s', async (status, code, words) => {
  const served = server.serve('/m.gguf', modelBytes(1000, 15));
  served.statuses.push({ status });
  const t = await setUp();
  t.start(t.url('m.gguf'));
  await t.ended();
  expect(t.only().error).toMatchObject({ code, message: expect.stringContaining(words) as unknown });
  expect(server.gets('/m.gguf')).toHaveLength(1);
});

test('a busy server is asked again, as late as it says; one that stays away ends it with what came kept', async () => {
  const bytes = modelBytes(SIZE, 16);
  const served = server.serve('/m.gguf', bytes, { cuts: [100_000], bytesPerSecond: 1_000_000 });
  served.statuses.push({ status: 503, headers: { 'retry-after': '7' } }, { status: 429 });
  const t = await setUp();
  t.start(t.url('m.gguf'));
  await waitFor(() => t.clock.waitsMs.length === 3, 'three tries');
  served.statuses.push(...Array.from({ length: 20 }, () => ({ status: 500 })));
  await t.ended();
  expect(t.clock.waitsMs.slice(0, 2)).toEqual([7000, 4000]);
  expect(t.clock.waitsMs.slice(-5)).toEqual([8000, 16_000, 30_000, 30_000, 30_000]);
  expect(t.only()).toMatchObject({ state: 'failed', error: { code: 'download.network' } });
  expect(t.only().receivedBytes).toBeGreaterThan(0);
  served.statuses.length = 0;
  t.service.resume('d1');
  await t.ended();
  expect(readFileSync(place('m.gguf')).equals(bytes)).toBe(true);
});

test('what is no GGUF file is refused at its first bytes', async () => {
  server.serve('/m.gguf', new TextEncoder().encode('<!doctype html><title>Sign in</title>'));
  const t = await setUp();
  t.start(t.url('m.gguf'));
  await t.ended();
  expect(t.only().error).toMatchObject({ code: 'gguf.not-gguf', message: expect.stringContaining('a web page') as unknown });
});

test('redirects: followed here, never from https to http, never without end; nothing but the address is sent on', async () => {
  const bytes = modelBytes(1000, 17);
  server.serve('/real', bytes);
  server.redirects.set('/m.gguf', '/real');
  server.redirects.set('/loop.gguf', '/loop.gguf');
  server.redirects.set('/away.gguf', 'http://example.org/m.gguf');
  server.redirects.set('/named.gguf', `http://me:secret@127.0.0.1:1/m.gguf`);
  const t = await setUp();
  for (const name of ['loop', 'away', 'named']) {
    const { id } = t.start(t.url(`${name}.gguf`));
    await t.ended();
    expect(t.only().error).toMatchObject({ code: 'download.redirect' });
    await t.service.cancel(id);
  }
  t.start(t.url('m.gguf'));
  await t.ended();
  expect(t.adopted).toEqual([place('m.gguf')]);
  expect(Object.keys(server.gets('/real')[0].headers).sort()).not.toEqual(expect.arrayContaining(['cookie']));
  for (const { headers } of server.seen)
    for (const name of ['authorization', 'cookie', 'referer', 'origin']) expect(headers).not.toHaveProperty(name);
});

test('https never turns into http, whatever the server says', async () => {
  const asked: string[] = [];
  const t = await setUp({
    fetch: (input) => {
      asked.push(String(input));
      return Promise.resolve(new Response(null, { status: 302, headers: { location: 'http://127.0.0.1:9/m.gguf' } }));
    },
  });
  t.start({ kind: 'url', url: 'https://example.org/m.gguf', sha256: null });
  await t.ended();
  expect(t.only().error).toMatchObject({ code: 'download.redirect' });
  expect(asked).toEqual(['https://example.org/m.gguf']);
});

test('the same model twice is refused, on its way and when it is here', async () => {
  const bytes = modelBytes(SIZE, 18);
  server.serve('/m.gguf', bytes, { bytesPerSecond: 2_000_000 });
  const t = await setUp();
  t.start(t.url('m.gguf'));
  expect(() => t.start(t.url('m.gguf'))).toThrow(expect.objectContaining({ code: 'download.exists' }));
  await t.ended();
  expect(() => t.start(t.url('m.gguf'))).toThrow(expect.objectContaining({ code: 'download.exists' }));
});

test('a model that no disk holds is refused before a byte of it is asked for', async () => {
  const t = await setUp({
    fetch: (_, init) =>
      Promise.resolve(new Response(init?.method === 'HEAD' ? null : 'GGUF', { headers: { 'content-length': String(2 ** 41) } })),
  });
  t.start({ kind: 'url', url: 'https://example.org/m.gguf', sha256: null });
  await t.ended();
  expect(t.only()).toMatchObject({ state: 'failed', error: { code: 'data.disk-full' } });
  expect(existsSync(t.at('downloads', 'd1'))).toBe(false);
});

test('speed and time left are told while it runs', async () => {
  server.serve('/m.gguf', modelBytes(SIZE, 19), { bytesPerSecond: 300_000 });
  const t = await setUp();
  t.start(t.url('m.gguf'));
  await t.ended();
  const told = t.events.flatMap(({ name, payload }) => (name === 'downloads.progress' ? [payload] : []));
  expect(told.length).toBeGreaterThan(2);
  const last = told.at(-1)!;
  expect(last.totalBytes).toBe(SIZE);
  expect(last.bytesPerSecond).toBeGreaterThan(10_000);
  expect(last.remainingMs).toBeCloseTo(((SIZE - last.receivedBytes) / last.bytesPerSecond!) * 1000, 3);
});
