import { describe, expect, test } from 'vitest';
import { json, startFakeOpenAi, streamAnswer, type FakeOpenAi } from '../../tests/fixtures-services/fake-openai.ts';
import { answerTo, remoteBox, SECRET } from '../../tests/fixtures-services/remote-box.ts';

const box = remoteBox();
const { setUp, end, addServer, withRemote } = box;

describe('redirects', () => {
  test('to another origin is not followed: neither words nor key go there', async () => {
    const other = await startFakeOpenAi();
    try {
      const t = setUp();
      await withRemote(t, { kind: 'set', value: SECRET, store: false });
      for (const status of [301, 302, 307, 308]) {
        box.server.reply = (_, response) => response.writeHead(status, { location: `${other.origin}/v1/chat/completions` }).end();
        expect((await answerTo(t)).error).toMatchObject({ code: 'remote.redirected', details: { location: other.origin } });
      }
      const { servers } = (await t.request('app.state', {})).remote;
      await expect(t.request('remote.test', { serverId: servers[0].id })).rejects.toMatchObject({ code: 'remote.redirected' });
      expect(other.seen).toEqual([]);
    } finally {
      await other.close();
    }
  });

  test('within the server is followed, a few times, and only as the same request', async () => {
    const t = setUp();
    await withRemote(t);
    box.server.reply = (request, response) =>
      request.url === '/v2' ? streamAnswer(response, ['moved']) : void response.writeHead(308, { location: '/v2' }).end();
    expect((await answerTo(t)).content).toBe('moved');
    expect(box.server.seen.map(({ method, body }) => [method, body !== ''])).toEqual([
      ['POST', true],
      ['POST', true],
    ]);
    box.server.reply = (_, response) => response.writeHead(307, { location: '/round' }).end();
    expect((await answerTo(t)).error).toMatchObject({ code: 'remote.redirected' });
    box.server.reply = (_, response) => response.writeHead(303, { location: '/v2' }).end();
    expect((await answerTo(t)).error).toMatchObject({ code: 'remote.redirected' });
  });
});

describe('the test of a connection', () => {
  const offers =
    (data: unknown): FakeOpenAi['reply'] =>
    (_, response) =>
      json(response, 200, { object: 'list', data });

  test('lists the models with what each server says of the context', async () => {
    const t = setUp();
    const { id: serverId } = await addServer(t, { kind: 'set', value: SECRET, store: false });
    box.server.reply = offers([
      { id: 'vllm', max_model_len: 4096 },
      { id: 'llama', meta: { n_ctx_train: 131072 } },
      { id: 'router', context_length: 2000 },
      { id: 'plain' },
      { id: 'odd', max_model_len: -1 },
      { id: 7 },
      { id: 'two\nlines' },
      { id: 'x'.repeat(501) },
      null,
    ]);
    expect(await t.request('remote.test', { serverId })).toEqual({
      models: [
        { name: 'vllm', contextTokens: 4096 },
        { name: 'llama', contextTokens: 131072 },
        { name: 'router', contextTokens: 2000 },
        { name: 'plain', contextTokens: null },
        { name: 'odd', contextTokens: null },
      ],
    });
    expect(box.server.seen[0]).toMatchObject({
      method: 'GET',
      url: '/v1/models',
      body: '',
      headers: { authorization: `Bearer ${SECRET}` },
    });
  });

  test.each<[string, FakeOpenAi['reply'], string]>([
    ['no such page', (_, r) => void r.writeHead(404).end(), 'remote.not-compatible'],
    ['a web page', (_, r) => void r.writeHead(200).end('<!doctype html>'), 'remote.not-compatible'],
    ['other JSON', (_, r) => json(r, 200, { models: [] }), 'remote.not-compatible'],
    ['null', (_, r) => json(r, 200, null), 'remote.not-compatible'],
    ['too much', (_, r) => void r.writeHead(200).end('x'.repeat(9 * 2 ** 20)), 'remote.not-compatible'],
    ['401', (_, r) => json(r, 401, {}), 'remote.unauthorized'],
    ['503', (_, r) => json(r, 503, { error: { message: 'Loading model' } }), 'remote.failed'],
    ['no HTTP', (request) => void request.socket.end('SSH-2.0-OpenSSH_9.2\r\n'), 'remote.not-compatible'],
    ['a hang-up', (request) => void request.socket.destroy(), 'remote.unreachable'],
  ])('%s: %s', async (_, reply, code) => {
    const t = setUp();
    const { id: serverId } = await addServer(t);
    box.server.reply = reply;
    await expect(t.request('remote.test', { serverId })).rejects.toMatchObject({ code });
  });

  test('https to a server without encryption', async () => {
    const t = setUp();
    const { id: serverId } = await addServer(
      t,
      { kind: 'set', value: SECRET, store: false },
      box.server.origin.replace('http:', 'https:'),
    );
    await expect(t.request('remote.test', { serverId })).rejects.toMatchObject({ code: 'remote.tls' });
    expect(box.server.seen).toEqual([]);
  });

  test('without encryption a name may not lead out of the local network, nor one of this computer anywhere else', async () => {
    for (const [name, leadsTo, code] of [
      ['box.local', ['192.168.7.7', '8.8.8.8'], 'remote.address'],
      ['localhost', ['192.168.7.7'], 'remote.address'],
      ['box.local', ['127.0.0.1'], 'remote.failed'],
    ] as const) {
      const t = setUp({ lookup: async () => leadsTo.map((address) => ({ address, family: 4 })) });
      const address = box.server.origin.replace('127.0.0.1', name);
      const { id: serverId } = await addServer(t, { kind: 'set', value: SECRET, store: false }, address);
      box.server.reply = (_, response) => json(response, 500, {});
      await expect(t.request('remote.test', { serverId })).rejects.toMatchObject({ code });
      await end(t);
    }
    expect(box.server.seen.map(({ headers }) => headers.host)).toEqual([box.server.host.replace('127.0.0.1', 'box.local')]);
  });

  test('a name that nobody knows', async () => {
    const t = setUp({ lookup: () => Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' })) });
    const { id: serverId } = await addServer(t, { kind: 'none' }, 'https://api.example.org');
    await expect(t.request('remote.test', { serverId })).rejects.toMatchObject({ code: 'remote.unreachable' });
  });
});
