/** For tests of remote models: a server with OpenAI's protocol and services that may ask it, both new for each test and ended after it. */
import { afterEach, beforeEach } from 'vitest';
import type { RemoteKeyChange } from '../../main/contract/remote.ts';
import type { ServicesOptions } from '../../main/services.ts';
import { startFakeOpenAi, type FakeOpenAi } from './fake-openai.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { finishedEvents, testServices, type TestServices } from './test-services.ts';

export const SECRET = 'sk-test-0123456789abcdef';
/** Far longer than anything on 127.0.0.1 takes; short where a test waits for it. */
export const LONG = { connectMs: 20_000, headersMs: 20_000, idleMs: 20_000 };

/** To be called once by a test file, outside of its tests. */
export function remoteBox() {
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

  /** Before the test does, so that others may have the folder. */
  async function end(t: TestServices): Promise<void> {
    await t.services.close();
    open = open.filter((other) => other !== t);
  }

  const addServer = (t: TestServices, key: RemoteKeyChange = { kind: 'none' }, address = server.origin) =>
    t.request('remote.save', { serverId: null, name: 'Box', address, key });

  /** A model of the server is chosen and ready. Resolves with its id. */
  async function withRemote(t: TestServices, key?: RemoteKeyChange, contextTokens: number | null = null): Promise<string> {
    const { id: serverId } = await addServer(t, key);
    const { id } = await t.request('remote.addModel', { serverId, name: 'big-moe', contextTokens });
    await t.request('library.select', { modelId: id });
    await t.until(() => t.events.some((event) => event.name === 'engine.status' && event.payload.state === 'ready'), 'ready');
    return id;
  }

  return {
    get server() {
      return server;
    },
    get folder() {
      return folder.path;
    },
    setUp,
    end,
    addServer,
    withRemote,
  };
}

export const finishes = (t: TestServices, n = 1) => t.until(() => finishedEvents(t.events).length >= n, `answer ${n}`);

export async function answerTo(t: TestServices, text = 'Q') {
  const { conversation, answer } = await t.ask(text);
  await finishes(t, finishedEvents(t.events).length + 1);
  return t.message(conversation.id, answer.id);
}
