import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { collectionOf, writeDocument } from '../../tests/documents/support.ts';
import {
  beginStream,
  json,
  piece,
  startFakeOpenAi,
  streamAnswer,
  type FakeOpenAi,
} from '../../tests/fixtures-services/fake-openai.ts';
import { temporaryFolder } from '../../tests/fixtures-services/temporary-folder.ts';
import { finishedEvents, testServices, type TestServices } from '../../tests/fixtures-services/test-services.ts';
import type { RemoteKeyChange } from '../contract/remote.ts';
import type { ServicesOptions } from '../services.ts';

const SECRET = 'sk-test-0123456789abcdef';
/** Far longer than anything on 127.0.0.1 takes; short where a test waits for it. */
const LONG = { connectMs: 20_000, headersMs: 20_000, idleMs: 20_000 };

let folder: ReturnType<typeof temporaryFolder>;
let server: FakeOpenAi;
let open: TestServices[] = [];
beforeEach(async () => {
  folder = temporaryFolder();
  server = await startFakeOpenAi();
});
afterEach(async () => {
  for (const { services, clock } of open) await Promise.all([services.close(), clock.advance(10_000)]);
  open = [];
  await server.close();
  folder.remove();
});

function setUp(remote: ServicesOptions['remote'] = {}, options: Partial<ServicesOptions> = {}): TestServices {
  const t = testServices(folder.path, 'plain', { remote: { environment: {}, limits: LONG, ...remote }, ...options });
  open.push(t);
  return t;
}

const addServer = (t: TestServices, key: RemoteKeyChange = { kind: 'none' }, address = server.origin) =>
  t.request('remote.save', { serverId: null, name: 'Box', address, key });

async function withRemote(t: TestServices, key?: RemoteKeyChange, contextTokens: number | null = null): Promise<string> {
  const { id: serverId } = await addServer(t, key);
  const { id } = await t.request('remote.addModel', { serverId, name: 'big-moe', contextTokens });
  await t.request('library.select', { modelId: id });
  await t.until(() => t.events.some((event) => event.name === 'engine.status' && event.payload.state === 'ready'), 'ready');
  return id;
}

const finishes = (t: TestServices, n = 1) => t.until(() => finishedEvents(t.events).length >= n, `answer ${n}`);

async function answerTo(t: TestServices, text = 'Q') {
  const { conversation, answer } = await t.ask(text);
  await finishes(t, finishedEvents(t.events).length + 1);
  return t.message(conversation.id, answer.id);
}

describe('before anybody asks', () => {
  test('no server is contacted: not by adding, changing, choosing, nor by a start with one chosen', async () => {
    const t = setUp();
    const id = await withRemote(t);
    const { servers } = (await t.request('app.state', {})).remote;
    await t.request('remote.save', { serverId: servers[0].id, name: 'New', address: server.origin, key: { kind: 'keep' } });
    await t.services.close();
    open = [];
    const again = setUp();
    await again.services.start();
    await again.until(() => again.events.some((event) => event.name === 'engine.status' && event.payload.state === 'ready'));
    expect((await again.request('app.state', {})).engine).toMatchObject({ state: 'ready', modelId: id });
    expect(server.seen).toEqual([]);
  });

  test('a server says in the list what it is', async () => {
    const t = setUp();
    expect(await addServer(t)).toMatchObject({
      name: 'Box',
      baseUrl: `${server.origin}/v1`,
      host: server.host,
      scope: 'loopback',
      encrypted: false,
      key: 'none',
      models: [],
    });
    await expect(addServer(t, { kind: 'none' }, 'http://api.example.org')).rejects.toMatchObject({ code: 'remote.address' });
  });
});

describe('an answer', () => {
  test('streams, is committed, counts as the server counted, and names model and host', async () => {
    const t = setUp();
    await withRemote(t, { kind: 'set', value: SECRET, store: false });
    await t.request('settings.update', { systemPrompt: 'Be brief.', temperature: 0.5, topP: 0.9, seed: 11, maxAnswerTokens: 77 });
    server.reply = (_, response) => streamAnswer(response, ['Ber', 'lin ', '🐦'], { prompt_tokens: 12, completion_tokens: 5 });
    const message = await answerTo(t, 'Capital of Germany?');
    expect(message).toMatchObject({
      content: 'Berlin 🐦',
      status: 'complete',
      modelName: 'big-moe',
      remoteHost: server.host,
      stats: { promptTokens: 12, answerTokens: 5, contextUsedTokens: 17, contextTokens: null, droppedTurns: 0 },
    });
    const [{ method, url, headers, body }] = server.seen;
    expect([method, url, headers.authorization]).toEqual(['POST', '/v1/chat/completions', `Bearer ${SECRET}`]);
    expect(JSON.parse(body)).toEqual({
      model: 'big-moe',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Capital of Germany?' },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 77,
      temperature: 0.5,
      top_p: 0.9,
      seed: 11,
    });
    const started = t.events.find((event) => event.name === 'answer.started');
    expect(started?.payload).toMatchObject({ answerId: message.id, modelName: 'big-moe', remoteHost: server.host });
    const text = t.events.flatMap((event) => (event.name === 'answer.text' ? [event.payload.text] : [])).join('');
    expect(text).toBe('Berlin 🐦');
  });

  test('takes the earlier turns along, and waits its turn in the queue', async () => {
    const t = setUp();
    await withRemote(t);
    server.reply = (_, response, body) =>
      streamAnswer(response, [`${(JSON.parse(body) as { messages: unknown[] }).messages.length}`]);
    const first = await t.ask('One');
    await t.ask('Other');
    await finishes(t, 2);
    await t.ask('Two', { conversationId: first.conversation.id, parentId: first.answer.id });
    await finishes(t, 3);
    expect(finishedEvents(t.events).map(({ content }) => content)).toEqual(['1', '1', '3']);
  });

  test('of a server that does not stream comes whole', async () => {
    const t = setUp();
    await withRemote(t);
    server.reply = (_, response) =>
      json(response, 200, { choices: [{ message: { role: 'assistant', content: 'All at once' }, finish_reason: 'stop' }] });
    expect(await answerTo(t)).toMatchObject({ content: 'All at once', status: 'complete' });
  });

  test('of a server that knows fewer parameters is asked for without them', async () => {
    const t = setUp();
    await withRemote(t);
    server.reply = (_, response, body) => {
      const asked = JSON.parse(body) as Record<string, unknown>;
      if ('stream_options' in asked)
        return json(response, 400, { error: { message: 'Unrecognized request argument: stream_options' } });
      if ('max_tokens' in asked) return json(response, 400, { error: "Use 'max_completion_tokens' instead." });
      streamAnswer(response, [String(asked.max_completion_tokens)]);
    };
    expect(await answerTo(t)).toMatchObject({ content: '1024', status: 'complete' });
  });

  test('is stopped: the text is kept, the request is ended, the next question is answered', async () => {
    const t = setUp();
    await withRemote(t);
    server.reply = (_, response) => {
      beginStream(response);
      response.write(piece('Half'));
    };
    const { conversation, answer } = await t.ask('Q');
    await t.until(() => t.events.some((event) => event.name === 'answer.text'), 'text');
    expect(server.closed()).toBe(0);
    await t.request('chat.stop', { answerId: answer.id });
    expect(await t.message(conversation.id, answer.id)).toMatchObject({ content: 'Half', status: 'stopped', error: null });
    await t.until(() => server.closed() === 1, 'the end of the request');
    server.reply = (_, response) => streamAnswer(response, ['next']);
    await t.ask('Again', { conversationId: conversation.id, parentId: answer.id });
    await finishes(t, 2);
    expect(finishedEvents(t.events)[1]).toMatchObject({ status: 'complete', content: 'next' });
  });

  test('that a crash cut is interrupted after the restart, with its text', async () => {
    const t = setUp();
    await withRemote(t);
    server.reply = (_, response) => {
      beginStream(response);
      response.write(piece('Half'));
    };
    const { conversation, answer } = await t.ask('Q');
    await t.until(() => t.events.some((event) => event.name === 'answer.text'), 'text');
    await t.services.close();
    open = [];
    const again = setUp();
    expect(await again.message(conversation.id, answer.id)).toMatchObject({ content: 'Half', status: 'interrupted' });
  });

  test('drops the oldest turns by estimate where the context is known, and says so', async () => {
    const t = setUp();
    await withRemote(t, undefined, 200);
    server.reply = (_, response) => streamAnswer(response, ['ok']);
    const first = await t.ask('x'.repeat(400));
    await finishes(t);
    const second = await t.ask('y'.repeat(300), { conversationId: first.conversation.id, parentId: first.answer.id });
    await finishes(t, 2);
    expect(await t.message(first.conversation.id, second.answer.id)).toMatchObject({
      status: 'complete',
      stats: { droppedTurns: 1, contextTokens: 200 },
    });
    const { messages, max_tokens } = JSON.parse(server.seen[1].body) as { messages: { content: string }[]; max_tokens: number };
    expect(messages.map(({ content }) => content[0])).toEqual(['y']);
    expect(max_tokens).toBe(200 - (300 / 4 + 4));
  });
});

describe('what goes wrong is said in words, and what came is kept', () => {
  const cases: [string, FakeOpenAi['reply'], string, string, string][] = [
    [
      'cut in the middle',
      (_, r) => (beginStream(r), r.write(piece('Half')), void setImmediate(() => r.destroy())),
      'remote.cut',
      'Half',
      'before the end',
    ],
    ['ended in the middle', (_, r) => (beginStream(r), void r.end(piece('Half'))), 'remote.cut', 'Half', 'What came is kept'],
    [
      'garbage in the stream',
      (_, r) => (beginStream(r), r.write(piece('Half')), void r.end('data: {"choices": [oops\n\n')),
      'remote.not-compatible',
      'Half',
      'not a streamed chat answer',
    ],
    [
      'an endless line',
      (_, r) => (beginStream(r), r.write(piece('Half')), void r.end(`data: ${'x'.repeat(3_000_000)}`)),
      'remote.not-compatible',
      'Half',
      'a line of more than',
    ],
    ['no event at all', (_, r) => (beginStream(r), void r.end('hello\nthere\n')), 'remote.not-compatible', '', 'not a streamed'],
    [
      'a web page',
      (_, r) => void r.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      'remote.not-compatible',
      '',
      'web page',
    ],
    [
      'an error in the stream',
      (_, r) => (beginStream(r), r.write(piece('Half')), void r.end('data: {"error":{"message":"CUDA out of memory"}}\n\n')),
      'remote.failed',
      'Half',
      'CUDA out of memory',
    ],
    [
      'an error as llama.cpp sends it',
      (_, r) => (beginStream(r), void r.end('error: {"code":500,"message":"slot failed"}\n\n')),
      'remote.failed',
      '',
      'slot failed',
    ],
    [
      'the context limit',
      (_, r) => json(r, 400, { error: { code: 'context_length_exceeded', message: 'maximum context length is 8 tokens' } }),
      'engine.context-full',
      '',
      'Start a new one',
    ],
    [
      '401',
      (_, r) => json(r, 401, { error: { message: 'Incorrect API key provided' } }),
      'remote.unauthorized',
      '',
      'wants a key',
    ],
    [
      '429',
      (_, r) => json(r, 429, { error: 'slow\u0007 down\n\u202e' }),
      'remote.failed',
      '',
      'asked too often (429). It says: slow down',
    ],
    [
      '500 with a page',
      (_, r) => void r.writeHead(500).end('<html><script>x</script>'),
      'remote.failed',
      '',
      'problem of its own (500).',
    ],
    [
      'a filter',
      (_, r) => (beginStream(r), void r.end(piece('Half') + piece(null, 'content_filter'))),
      'remote.failed',
      'Half',
      'filter',
    ],
  ];
  test.each(cases)('%s', async (_, reply, code, content, words) => {
    const t = setUp();
    await withRemote(t);
    server.reply = reply;
    const message = await answerTo(t);
    expect(message).toMatchObject({ status: 'failed', content, error: { code } });
    expect(message.error!.message).toContain(words);
  });

  test('nobody there', async () => {
    const t = setUp();
    await withRemote(t);
    await server.close();
    expect((await answerTo(t)).error).toMatchObject({ code: 'remote.unreachable', details: { reason: 'ECONNREFUSED' } });
  });

  test('silence: before the headers and in the middle', async () => {
    const t = setUp({ limits: { ...LONG, headersMs: 60, idleMs: 60 } });
    await withRemote(t);
    server.reply = () => undefined;
    expect((await answerTo(t)).error).toMatchObject({ code: 'remote.unreachable', details: { limitMs: 60 } });
    server.reply = (_, response) => {
      beginStream(response);
      response.write(piece('Half'));
    };
    expect(await answerTo(t)).toMatchObject({ content: 'Half', status: 'failed', error: { code: 'remote.cut' } });
    await t.until(() => server.closed() === 2, 'the end of both requests');
  });

  test('after the last word a connection may end as it likes', async () => {
    const t = setUp();
    await withRemote(t);
    server.reply = (_, response) => {
      beginStream(response);
      response.write(piece('Whole', 'stop'));
      setImmediate(() => response.destroy());
    };
    expect(await answerTo(t)).toMatchObject({ content: 'Whole', status: 'complete', error: null });
  });
});

describe('redirects', () => {
  test('to another origin is not followed: neither words nor key go there', async () => {
    const other = await startFakeOpenAi();
    try {
      const t = setUp();
      await withRemote(t, { kind: 'set', value: SECRET, store: false });
      for (const status of [301, 302, 307, 308]) {
        server.reply = (_, response) => response.writeHead(status, { location: `${other.origin}/v1/chat/completions` }).end();
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
    server.reply = (request, response) =>
      request.url === '/v2' ? streamAnswer(response, ['moved']) : void response.writeHead(308, { location: '/v2' }).end();
    expect((await answerTo(t)).content).toBe('moved');
    expect(server.seen.map(({ method, body }) => [method, body !== ''])).toEqual([
      ['POST', true],
      ['POST', true],
    ]);
    server.reply = (_, response) => response.writeHead(307, { location: '/round' }).end();
    expect((await answerTo(t)).error).toMatchObject({ code: 'remote.redirected' });
    server.reply = (_, response) => response.writeHead(303, { location: '/v2' }).end();
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
    server.reply = offers([
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
    expect(server.seen[0]).toMatchObject({
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
    server.reply = reply;
    await expect(t.request('remote.test', { serverId })).rejects.toMatchObject({ code });
  });

  test('https to a server without encryption', async () => {
    const t = setUp();
    const { id: serverId } = await addServer(
      t,
      { kind: 'set', value: SECRET, store: false },
      server.origin.replace('http:', 'https:'),
    );
    await expect(t.request('remote.test', { serverId })).rejects.toMatchObject({ code: 'remote.tls' });
    expect(server.seen).toEqual([]);
  });

  test('without encryption a name may not lead out of the local network, nor one of this computer anywhere else', async () => {
    for (const [name, leadsTo, code] of [
      ['box.local', ['192.168.7.7', '8.8.8.8'], 'remote.address'],
      ['localhost', ['192.168.7.7'], 'remote.address'],
      ['box.local', ['127.0.0.1'], 'remote.failed'],
    ] as const) {
      const t = setUp({ lookup: async () => leadsTo.map((address) => ({ address, family: 4 })) });
      const address = server.origin.replace('127.0.0.1', name);
      const { id: serverId } = await addServer(t, { kind: 'set', value: SECRET, store: false }, address);
      server.reply = (_, response) => json(response, 500, {});
      await expect(t.request('remote.test', { serverId })).rejects.toMatchObject({ code });
      await t.services.close();
      open = [];
    }
    expect(server.seen.map(({ headers }) => headers.host)).toEqual([server.host.replace('127.0.0.1', 'box.local')]);
  });

  test('a name that nobody knows', async () => {
    const t = setUp({ lookup: () => Promise.reject(Object.assign(new Error('not found'), { code: 'ENOTFOUND' })) });
    const { id: serverId } = await addServer(t, { kind: 'none' }, 'https://api.example.org');
    await expect(t.request('remote.test', { serverId })).rejects.toMatchObject({ code: 'remote.unreachable' });
  });
});

describe('what is chosen', () => {
  test('a model that is taken off the list, or whose server goes, is not chosen any more', async () => {
    const t = setUp();
    const modelId = await withRemote(t);
    await t.request('remote.removeModel', { modelId });
    expect((await t.request('app.state', {})).settings.selectedModelId).toBeNull();
    const { servers } = (await t.request('app.state', {})).remote;
    const again = await t.request('remote.addModel', { serverId: servers[0].id, name: 'other', contextTokens: null });
    await t.request('library.select', { modelId: again.id });
    await t.request('remote.remove', { serverId: servers[0].id });
    const state = await t.request('app.state', {});
    expect([state.settings.selectedModelId, state.engine.state, state.remote.servers]).toEqual([null, 'idle', []]);
    await expect(t.request('library.select', { modelId: again.id })).rejects.toMatchObject({ code: 'model.missing' });
  });

  test('back to a local model: its answers name no host', async () => {
    const t = setUp();
    await withRemote(t);
    await t.withModel();
    await t.until(() => t.engine.calls.some((made) => made.startsWith('load')), 'loading');
    expect(await answerTo(t)).toMatchObject({ modelName: 'model', remoteHost: null, status: 'complete' });
    expect(server.seen).toEqual([]);
  });
});

describe('documents', () => {
  const LEASE = '# Lease agreement\n\nThe tenant receives three keys. A lost key costs 85 euros.\n';
  const GARDEN = '# Garden\n\nApples may be picked by everybody in the house.\n';
  /** By this name the server is one of the local network, not of this computer. */
  const elsewhere = () => ({ lookup: async () => [{ address: '127.0.0.1', family: 4 }] });
  const named = () => server.origin.replace('127.0.0.1', 'box.local');
  const sentTexts = () => server.seen.map(({ body }) => body).join('\n');

  async function withDocuments(t: TestServices, address: string): Promise<string> {
    await t.services.start();
    const { id: serverId } = await addServer(t, { kind: 'none' }, address);
    const { id: modelId } = await t.request('remote.addModel', { serverId, name: 'big-moe', contextTokens: 4000 });
    await t.request('library.select', { modelId });
    const files = { 'lease.md': LEASE, 'garden.md': GARDEN };
    return collectionOf(
      t,
      Object.entries(files).map(([name, text]) => writeDocument(folder.path, name, text)),
    );
  }

  test('go to a server on this computer without a question; the answer is checked as everywhere', async () => {
    const t = setUp();
    const collectionId = await withDocuments(t, server.origin);
    server.reply = (_, response) => streamAnswer(response, ['A lost key costs ', '85 euros [1].', ' See [9].']);
    const { conversation, answer } = await t.ask('What does a lost key cost?', { collectionId });
    await finishes(t);
    const message = await t.message(conversation.id, answer.id);
    expect(message).toMatchObject({ status: 'complete', evidence: { verdict: 'supported', removedCitations: 1 } });
    expect(message.sources[0]).toMatchObject({ documentTitle: 'Lease agreement' });
    expect(sentTexts()).toContain('A lost key costs 85 euros.');
  });

  test('go anywhere else only after exactly their text was shown and allowed', async () => {
    const t = setUp(elsewhere());
    const collectionId = await withDocuments(t, named());
    server.reply = (_, response) => streamAnswer(response, ['85 euros [1].']);
    const { conversation, answer } = await t.ask('What does a lost key cost?', { collectionId });
    await finishes(t);
    const held = await t.message(conversation.id, answer.id);
    expect(held).toMatchObject({
      status: 'failed',
      content: '',
      sources: [],
      error: { code: 'remote.consent', details: { passages: 1 } },
    });
    expect(server.seen).toEqual([]);
    const review = await t.request('remote.review', { answerId: answer.id });
    expect(review.host).toBe(server.host.replace('127.0.0.1', 'box.local'));
    expect(review.passages).toEqual([
      { documentTitle: 'Lease agreement', page: null, text: expect.stringContaining('A lost key costs 85 euros.') as string },
    ]);

    await t.request('chat.regenerate', { answerId: answer.id }); // without consent nothing changes
    await finishes(t, 2);
    expect([finishedEvents(t.events)[1].error?.code, server.seen]).toEqual(['remote.consent', []]);

    await t.request('remote.consent', { answerId: answer.id });
    const { answer: second } = await t.request('chat.regenerate', { answerId: answer.id });
    await finishes(t, 3);
    expect(await t.message(conversation.id, second.id)).toMatchObject({ status: 'complete', evidence: { verdict: 'supported' } });
    expect(sentTexts()).toContain('A lost key costs 85 euros.');

    const follow = await t.ask('Who may pick apples?', { conversationId: conversation.id, parentId: second.id });
    await finishes(t, 4);
    expect(
      (await t.request('remote.review', { answerId: follow.answer.id })).passages.map(({ documentTitle }) => documentTitle),
    ).toEqual(['Garden']);
    expect(sentTexts()).not.toContain('Apples');
    await expect(t.request('remote.review', { answerId: answer.id })).rejects.toMatchObject({ code: 'message.missing' });
    await expect(t.request('remote.consent', { answerId: 'made-up' })).rejects.toMatchObject({ code: 'message.missing' });
  });

  test('an answer made of them here is asked for too before a server sees it; one it wrote itself is not', async () => {
    const t = setUp(elsewhere());
    const collectionId = await withDocuments(t, named());
    const remoteId = (await t.request('app.state', {})).remote.servers[0].models[0].id;
    await t.withModel();
    await t.until(() =>
      t.events.some(
        (event) => event.name === 'engine.status' && event.payload.state === 'ready' && event.payload.modelId !== remoteId,
      ),
    );
    t.engine.contextTokens = 4000;
    t.engine.answer = 'A lost key costs 85 euros [1].';
    await t.request('settings.update', { contextTokens: 4000 });
    const first = await t.ask('What does a lost key cost?', { collectionId });
    await finishes(t);
    const conversationId = first.conversation.id;
    await t.request('documents.use', { conversationId, collectionId: null });
    await t.request('library.select', { modelId: remoteId });
    server.reply = (_, response) => streamAnswer(response, ['Fine.']);
    const second = await t.ask('Thanks!', { conversationId, parentId: first.answer.id });
    await finishes(t, 2);
    expect((await t.message(conversationId, second.answer.id)).error).toMatchObject({ code: 'remote.consent' });
    expect((await t.request('remote.review', { answerId: second.answer.id })).passages).toEqual([
      { documentTitle: 'An earlier answer from your documents', page: null, text: 'A lost key costs 85 euros [1].' },
    ]);
    await t.request('remote.consent', { answerId: second.answer.id });
    const third = await t.request('chat.regenerate', { answerId: second.answer.id });
    await finishes(t, 3);
    await t.ask('And again', { conversationId, parentId: third.answer.id });
    await finishes(t, 4);
    expect(
      finishedEvents(t.events)
        .slice(2)
        .map(({ status }) => status),
    ).toEqual(['complete', 'complete']);
  });

  test('that know nothing of the question: nobody is asked, and no host is named', async () => {
    const t = setUp(elsewhere());
    const collectionId = await withDocuments(t, named());
    const { conversation, answer } = await t.ask('Xylophone quintet?', { collectionId });
    await finishes(t);
    expect(await t.message(conversation.id, answer.id)).toMatchObject({
      status: 'complete',
      remoteHost: null,
      evidence: { verdict: 'absent' },
    });
    expect(server.seen).toEqual([]);
  });
});

describe('keys', () => {
  const everything = () =>
    readFileSync(path.join(folder.path, 'history.sqlite'), 'latin1') +
    readFileSync(path.join(folder.path, 'history.sqlite-wal'), 'latin1');
  const used = () => server.seen.at(-1)?.headers.authorization ?? null;
  const probe = async (t: TestServices, serverId: string) => {
    server.reply = (_, response) => json(response, 200, { data: [] });
    await t.request('remote.test', { serverId });
    return used();
  };
  const store = {
    problem: () => null,
    seal: (text: string) => [...text].reverse().join(''),
    open: (sealed: string) => [...sealed].reverse().join(''),
  };

  test('are sealed on disk, opened when used, and never come back to a page', async () => {
    const t = setUp({}, { keyStore: store });
    const saved = await addServer(t, { kind: 'set', value: SECRET, store: true });
    expect(saved.key).toBe('stored');
    expect(await probe(t, saved.id)).toBe(`Bearer ${SECRET}`);
    server.reply = (_, response) => json(response, 500, { error: 'no' });
    await expect(t.request('remote.test', { serverId: saved.id })).rejects.toSatisfy(
      (error) => !JSON.stringify(error).includes(SECRET),
    );
    expect(everything()).not.toContain(SECRET);
    expect(everything()).toContain(store.seal(SECRET));
    expect(JSON.stringify([t.events, await t.request('app.state', {})])).not.toContain(SECRET);
    await t.services.close();
    open = [];
    expect(await probe(setUp({}, { keyStore: store }), saved.id)).toBe(`Bearer ${SECRET}`);
  });

  test('are refused where they could only lie open; then they can be held for this session', async () => {
    const t = setUp();
    await expect(addServer(t, { kind: 'set', value: SECRET, store: true })).rejects.toMatchObject({ code: 'remote.key' });
    expect((await t.request('app.state', {})).remote.servers).toEqual([]);
    const saved = await addServer(t, { kind: 'set', value: SECRET, store: false });
    expect(saved.key).toBe('session');
    expect(await probe(t, saved.id)).toBe(`Bearer ${SECRET}`);
    expect(everything()).not.toContain(SECRET);
    await t.services.close();
    open = [];
    const again = setUp();
    expect((await again.request('app.state', {})).remote.servers[0].key).toBe('none');
    expect(await probe(again, saved.id)).toBeNull();
  });

  test('that cannot be opened any more are said, not sent', async () => {
    const broken = {
      ...store,
      open: () => {
        throw new Error('wrong user');
      },
    };
    const t = setUp({}, { keyStore: broken });
    const { id: serverId } = await addServer(t, { kind: 'set', value: SECRET, store: true });
    await expect(t.request('remote.test', { serverId })).rejects.toMatchObject({ code: 'remote.key' });
    expect(server.seen).toEqual([]);
  });

  test('of one address never go to another', async () => {
    const other = await startFakeOpenAi();
    try {
      const t = setUp({}, { keyStore: store });
      const { id: serverId } = await addServer(t, { kind: 'set', value: SECRET, store: true });
      const kept = { serverId, name: 'Box', key: { kind: 'keep' } } as const;
      expect((await t.request('remote.save', { ...kept, address: `${server.origin}/other/v1` })).key).toBe('stored');
      expect((await t.request('remote.save', { ...kept, address: other.origin })).key).toBe('none');
      other.reply = (_, response) => json(response, 200, { data: [] });
      await t.request('remote.test', { serverId });
      expect(other.seen[0].headers.authorization).toBeUndefined();
      expect((await t.request('remote.save', { ...kept, address: server.origin })).key).toBe('none');
    } finally {
      await other.close();
    }
  });

  test('come from the variable of their host only', async () => {
    const { host } = new URL(server.origin);
    const variable = `CONCLAVE_KEY_${host.replaceAll(/[.:]/g, '_')}`;
    const t = setUp({ environment: { [variable]: SECRET, CONCLAVE_KEY_OTHER: 'other' } });
    const saved = await addServer(t);
    expect([saved.key, saved.keyVariable]).toEqual(['environment', variable]);
    expect(await probe(t, saved.id)).toBe(`Bearer ${SECRET}`);
  });

  test('that would break a header are refused without being repeated', async () => {
    const t = setUp();
    for (const value of [`${SECRET}\r\nX-Evil: 1`, `${SECRET} two`, `${SECRET}é`, '', `${SECRET}\0`])
      await expect(addServer(t, { kind: 'set', value, store: false })).rejects.toSatisfy(
        (error) => (error as { code: string }).code === 'request.invalid' && !String((error as Error).message).includes(SECRET),
      );
  });
});
