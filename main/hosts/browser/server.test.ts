import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../tests/fixtures-services/temporary-folder.ts';
import { testServices, type TestServices } from '../../../tests/fixtures-services/test-services.ts';
import { readJson } from './body.ts';
import { startServer, type BrowserHost } from './server.ts';

let folder: ReturnType<typeof temporaryFolder>;
let t: TestServices;
let host: BrowserHost;
let cookie: string;

beforeEach(async () => {
  folder = temporaryFolder();
  const page = path.join(folder.path, 'page');
  mkdirSync(path.join(page, 'assets'), { recursive: true });
  writeFileSync(path.join(page, 'index.html'), '<!doctype html><title>Conclave</title>');
  writeFileSync(path.join(page, 'assets', 'main.js'), 'export {};');
  writeFileSync(path.join(folder.path, 'secret.html'), 'secret');
  t = testServices(path.join(folder.path, 'data'));
  host = await startServer(t.services, page);
  const opened = await get(new URL(host.newStartUrl()), { cookie: '' });
  cookie = String(opened.headers['set-cookie']).split(';')[0];
});
afterEach(async () => {
  await host.close();
  await t.services.close();
  folder.remove();
});

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Not fetch: it would not let us lie about Host and Origin. A header '' is left out. */
function send(method: string, url: URL | string, given: Record<string, string>, body?: string | Buffer): Promise<Answer> {
  const target = typeof url === 'string' ? { path: url } : { path: url.pathname + url.search };
  const headers = Object.fromEntries(Object.entries({ cookie, ...given }).filter(([, value]) => value !== ''));
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(host.origin);
    const request = http.request({ hostname, port, method, ...target, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}
const get = (url: URL | string, headers: Record<string, string> = {}) => send('GET', url, headers);
const post = (url: string, payload: unknown, headers: Record<string, string> = {}) =>
  send('POST', url, { origin: host.origin, 'content-type': 'application/json', ...headers }, JSON.stringify(payload));
const upload = (name: string, bytes: Buffer | string, headers: Record<string, string> = {}) =>
  send(
    'POST',
    `/api/upload?name=${encodeURIComponent(name)}`,
    { origin: host.origin, 'content-type': 'application/octet-stream', ...headers },
    bytes,
  );
const errorCode = ({ body }: Answer) => (JSON.parse(body) as { error: { code: string } }).error.code;

test('the link opens the page with a strict cookie, once', async () => {
  const url = new URL(host.newStartUrl());
  const first = await get(url, { cookie: '' });
  expect([first.status, first.headers.location]).toEqual([303, '/']);
  expect(String(first.headers['set-cookie'])).toMatch(/^conclave-\d+=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/);
  expect((await get(url, { cookie: '' })).status).toBe(403);
  expect((await get(url)).status).toBe(303); // whoever is in already is only sent on
  expect((await get('/start?token=wrong', { cookie: '' })).status).toBe(403);
  expect((await get('/start', { cookie: '' })).status).toBe(403);
});

test('it listens on 127.0.0.1 only', () => {
  expect(new URL(host.origin).hostname).toBe('127.0.0.1');
});

test('pages come with a policy that allows nothing foreign, and only with a session', async () => {
  const page = await get('/');
  expect(page).toMatchObject({ status: 200, body: '<!doctype html><title>Conclave</title>' });
  expect(page.headers['content-security-policy']).toContain("default-src 'none'");
  expect(page.headers['x-content-type-options']).toBe('nosniff');
  expect(page.headers['content-security-policy']).not.toMatch(/unsafe-|data:|blob:|\*/);
  expect(page.headers['x-dns-prefetch-control']).toBe('off');
  expect(page.headers['permissions-policy']).toContain('camera=()');
  expect(page.headers['access-control-allow-origin']).toBeUndefined();
  expect((await get('/assets/main.js')).headers['content-type']).toContain('javascript');
  for (const wrong of ['', 'conclave=x', cookie.replace(/.$/, (c) => (c === '0' ? '1' : '0'))])
    expect((await get('/', { cookie: wrong })).status).toBe(403);
});

test.each([
  '/../secret.html',
  '/%2e%2e/secret.html',
  '/assets/..%2f..%2fsecret.html',
  '//etc/passwd',
  '/..\\secret.html',
  '/nothing',
  '/assets',
])('path %s finds nothing', async (url) => {
  const answer = await get(url);
  expect(answer.status).toBe(404);
  expect(answer.body).not.toContain('secret');
});

test('requests are answered as the contract says', async () => {
  expect(JSON.parse((await post('/api/library.list', {})).body)).toEqual({ ok: true, value: [] });
  const bad = await post('/api/chat.send', { text: 1 });
  expect([bad.status, errorCode(bad)]).toEqual([400, 'request.invalid']);
  const unknown = await post('/api/app.explode', {});
  expect([unknown.status, errorCode(unknown)]).toEqual([404, 'request.unknown']);
  expect(
    errorCode(await send('POST', '/api/library.list', { origin: host.origin, 'content-type': 'application/json' }, '{')),
  ).toBe('request.invalid');
  expect(errorCode(await post('/api/library.list', {}, { 'content-type': 'text/plain' }))).toBe('request.invalid');
});

test('what does not come from our page is refused', async () => {
  const foreign = [
    { cookie: '' },
    { origin: '' },
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: host.origin.replace('127.0.0.1', 'localhost') },
    { host: 'evil.example' },
    { host: `localhost:${new URL(host.origin).port}` },
  ];
  for (const headers of foreign) {
    const { status } = await post('/api/settings.update', { theme: 'dark' }, headers);
    expect([headers, status]).toEqual([headers, 403]);
  }
  expect((await send('OPTIONS', '/api/settings.update', { origin: 'http://evil.example' })).status).toBe(403);
  expect((await get('/api/settings.update')).status).toBe(403);
  expect((await t.request('app.state', {})).settings.theme).toBe('system');
  expect((await get('/api/events', { origin: 'http://evil.example' })).status).toBe(403);
  expect((await get('/api/events', { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
  expect((await get('/api/events', { cookie: '' })).status).toBe(403);
});

test('a request that names no host, or another in its first line, gets nothing', async () => {
  const { port } = new URL(host.origin);
  const raw = (head: string) =>
    new Promise<string>((resolve) => {
      const socket = net.connect(Number(port), '127.0.0.1', () =>
        socket.write(`${head}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`),
      );
      let text = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      socket.on('close', () => resolve(text));
    });
  expect(await raw('GET / HTTP/1.0')).toMatch(/^HTTP\/1\.1 403/);
  expect(await raw(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}.evil.example`)).toMatch(/^HTTP\/1\.1 403/);
  expect(await raw(`GET / HTTP/1.1\r\nHost: 127.0.0.1`)).toMatch(/^HTTP\/1\.1 403/);
  expect(await raw(`GET http://evil.example/../secret.html HTTP/1.1\r\nHost: 127.0.0.1:${port}`)).toMatch(/^HTTP\/1\.1 404/);
});

test('nothing that a request says gets into a header of the reply', async () => {
  for (const url of ['/start?token=%0d%0aSet-Cookie:%20a=b', '/%0d%0aX-Evil:%201', '/api/a%0d%0aX-Evil:%201']) {
    const answer = await get(url);
    expect(answer.headers['x-evil']).toBeUndefined();
    expect(answer.headers['set-cookie']).toBeUndefined();
  }
});

test('names of Object.prototype are neither pages, requests nor fields', async () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    expect((await get(`/${name}`)).status).toBe(404);
    expect(errorCode(await post(`/api/${name}`, {}))).toBe('request.unknown');
    const body = `{"theme":"dark","${name}":{"theme":"light","polluted":1}}`;
    const headers = { origin: host.origin, 'content-type': 'application/json' };
    expect(errorCode(await send('POST', '/api/settings.update', headers, body))).toBe('request.invalid');
  }
  expect((await t.request('app.state', {})).settings.theme).toBe('system');
  expect('polluted' in {}).toBe(false);
});

test('a body that is too long is refused, announced or not', async () => {
  const long = { 'content-length': String(33 * 2 ** 20) };
  const request = http.request({
    ...addressOf(host),
    method: 'POST',
    path: '/api/chat.send',
    headers: { cookie, origin: host.origin, 'content-type': 'application/json', ...long },
  });
  request.on('error', () => undefined); // the host hangs up on the rest
  const status = await new Promise((resolve) => {
    request.on('response', (response) => resolve(response.statusCode));
    request.write('"');
  });
  request.destroy();
  expect(status).toBe(400);
  const unannounced = Object.assign(
    (async function* () {
      for (let i = 0; i < 5; i++) yield Buffer.alloc(10, 32);
    })(),
    { headers: { 'content-type': 'application/json' } },
  ) as unknown as http.IncomingMessage;
  await expect(readJson(unannounced, 40)).rejects.toMatchObject({ code: 'request.invalid', details: { maxBytes: 40 } });
});

function addressOf({ origin }: BrowserHost) {
  const { hostname, port } = new URL(origin);
  return { hostname, port };
}

test('events arrive in order, with their names', async () => {
  const received: string[] = [];
  const request = http.get({ ...addressOf(host), path: '/api/events', headers: { cookie } });
  const response = await new Promise<http.IncomingMessage>((resolve) => void request.on('response', resolve));
  expect(response.headers['content-type']).toBe('text/event-stream');
  response.setEncoding('utf8').on('data', (chunk: string) => received.push(chunk));
  await t.request('settings.update', { theme: 'dark' });
  await t.ask('A\nB');
  await t.until(() => received.join('').includes('conversations.changed'));
  const [, first, second] = received.join('').split('\n\n');
  expect(first.split('\n')[0]).toBe('event: settings.changed');
  expect(JSON.parse(first.split('\n')[1].slice('data: '.length))).toMatchObject({ theme: 'dark' });
  expect(second).toMatch(/^event: conversations.changed\ndata: \{.*"title":"A B"/);
  request.destroy();
});

test('an upload becomes a file of the app, whole, under its name, never over another', async () => {
  const done = await upload('Mödel 1.gguf', 'GGUF and weights');
  expect(done.status).toBe(200);
  const place = (JSON.parse(done.body) as { value: { path: string } }).value.path;
  expect(place).toBe(path.join(t.services.modelsFolder, 'Mödel 1.gguf'));
  expect(readFileSync(place, 'utf8')).toBe('GGUF and weights');
  expect(errorCode(await upload('Mödel 1.gguf', 'GGUF other'))).toBe('request.invalid');
  expect(readFileSync(place, 'utf8')).toBe('GGUF and weights');
  const { value } = JSON.parse((await post('/api/library.import', { path: place })).body) as { value: { name: string } };
  expect(value.name).toBe('Mödel 1');
});

test.skipIf(process.platform === 'win32')('an upload never goes through a link that lies under its name', async () => {
  const target = path.join(folder.path, 'theirs.gguf');
  writeFileSync(target, 'untouched');
  mkdirSync(t.services.modelsFolder, { recursive: true });
  symlinkSync(target, path.join(t.services.modelsFolder, 'link.gguf'));
  symlinkSync(path.join(folder.path, 'not-there.gguf'), path.join(t.services.modelsFolder, 'dangling.gguf'));
  for (const name of ['link.gguf', 'dangling.gguf'])
    expect(errorCode(await upload(name, 'GGUF and more'))).toBe('request.invalid');
  expect(readFileSync(target, 'utf8')).toBe('untouched');
  expect(existsSync(path.join(folder.path, 'not-there.gguf'))).toBe(false);
});

test('uploads that are refused leave nothing behind', async () => {
  for (const name of [
    '../up.gguf',
    '..\\up.gguf',
    '/abs.gguf',
    'C:x.gguf',
    '.hidden.gguf',
    'con.gguf',
    'a\0.gguf',
    '',
    'x'.repeat(200) + '.gguf',
  ])
    expect([name, errorCode(await upload(name, 'GGUF'))]).toEqual([name, 'request.invalid']);
  expect(errorCode(await upload('model.exe', 'MZ'))).toBe('document.kind');
  expect(errorCode(await upload('a.gguf', 'PNG and so on'))).toBe('gguf.not-gguf');
  expect(errorCode(await upload('a.gguf', ''))).toBe('request.invalid');
  expect((await upload('a.gguf', 'GGUF', { origin: 'http://evil.example' })).status).toBe(403);
  expect(existsSync(t.services.modelsFolder) ? readdirSync(t.services.modelsFolder) : []).toEqual([]);
});

test('a document becomes a file of the app, the same one when it comes again, and goes when no collection holds it', async () => {
  const pathOf = async (name: string, text: string): Promise<string> =>
    (JSON.parse((await upload(name, text)).body) as { value: { path: string } }).value.path;
  const kept = await pathOf('Größe ü.md', '# Kept');
  expect(path.relative(t.services.documentsFolder, kept)).toMatch(/^[0-9a-f]{24}.Größe ü[.]md$/);
  expect(readFileSync(kept, 'utf8')).toBe('# Kept');
  expect(await pathOf('Größe ü.md', '# Kept')).toBe(kept);
  const other = await pathOf('Größe ü.md', '# Another text');
  expect(other).not.toBe(kept);
  const { value } = JSON.parse((await post('/api/documents.createCollection', { name: 'C' })).body) as { value: { id: string } };
  await post('/api/documents.add', { collectionId: value.id, paths: [kept] });
  writeFileSync(path.join(t.services.documentsFolder, 'crash.part'), 'half');
  const second = await startServer(t.services, path.join(folder.path, 'page'));
  await second.close();
  expect([existsSync(kept), existsSync(other)]).toEqual([true, false]);
  expect(readdirSync(t.services.documentsFolder)).toHaveLength(1);
});

test('documents that are refused leave nothing behind', async () => {
  for (const name of ['../up.md', '.hidden.md', 'nul.md', 'a:b.md', 'trailing.md.', 'x'.repeat(200) + '.md'])
    expect([name, errorCode(await upload(name, 'text'))]).toEqual([name, 'request.invalid']);
  expect(errorCode(await upload('picture.jpg', 'JFIF'))).toBe('document.kind');
  expect(errorCode(await upload('empty.md', ''))).toBe('request.invalid');
  const huge = http.request({
    ...addressOf(host),
    method: 'POST',
    path: '/api/upload?name=huge.md',
    headers: { cookie, origin: host.origin, 'content-length': '21000000' },
  });
  const answered = new Promise<string>((resolve, reject) => {
    huge.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('data', resolve);
    });
    huge.on('error', reject);
  });
  huge.write('only the beginning');
  expect(await answered).toContain('document.too-large');
  huge.destroy();
  expect(existsSync(t.services.documentsFolder) ? readdirSync(t.services.documentsFolder) : []).toEqual([]);
});

test('an upload that is broken off leaves nothing; leftovers of a crash go at the start', async () => {
  const request = http.request({
    ...addressOf(host),
    method: 'POST',
    path: '/api/upload?name=half.gguf',
    headers: { cookie, origin: host.origin, 'content-length': '1000' },
  });
  request.on('error', () => undefined);
  request.write('GGUF and then');
  const folderOf = t.services.modelsFolder;
  const names = () => (existsSync(folderOf) ? readdirSync(folderOf) : []);
  await t.until(() => names().some((name) => name.endsWith('.part')), 'a part');
  request.destroy();
  await t.until(() => names().length === 0, 'cleaning up');
  writeFileSync(path.join(folderOf, 'x.gguf.123.part'), 'GGUF');
  writeFileSync(path.join(folderOf, 'x.gguf'), '');
  writeFileSync(path.join(folderOf, 'good.gguf'), 'GGUF');
  const links = process.platform !== 'win32'; // where they need no privilege
  if (links) {
    writeFileSync(path.join(folder.path, 'theirs.part'), '');
    symlinkSync(path.join(folder.path, 'theirs.part'), path.join(folderOf, 'linked.part'));
    symlinkSync(path.join(folder.path, 'gone'), path.join(folderOf, 'dangling.gguf'));
  }
  const second = await startServer(t.services, path.join(folder.path, 'page'));
  await second.close();
  expect(names()).toEqual(links ? ['dangling.gguf', 'good.gguf', 'linked.part'] : ['good.gguf']);
});

test('a page that was not built is said', async () => {
  const empty = path.join(folder.path, 'empty');
  mkdirSync(empty);
  await expect(startServer(t.services, empty)).rejects.toThrow('npm run build');
});
