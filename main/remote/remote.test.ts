import { describe, expect, test } from 'vitest';
import { answerTo, remoteBox } from '../../tests/fixtures-services/remote-box.ts';

const box = remoteBox();
const { setUp, end, addServer, withRemote } = box;

describe('before anybody asks', () => {
  test('no server is contacted: not by adding, changing, choosing, nor by a start with one chosen', async () => {
    const t = setUp();
    const id = await withRemote(t);
    const { servers } = (await t.request('app.state', {})).remote;
    await t.request('remote.save', { serverId: servers[0].id, name: 'New', address: box.server.origin, key: { kind: 'keep' } });
    await end(t);
    const again = setUp();
    await again.services.start();
    await again.until(() => again.events.some((event) => event.name === 'engine.status' && event.payload.state === 'ready'));
    expect((await again.request('app.state', {})).engine).toMatchObject({ state: 'ready', modelId: id });
    expect(box.server.seen).toEqual([]);
  });

  test('a server says in the list what it is', async () => {
    const t = setUp();
    expect(await addServer(t)).toMatchObject({
      name: 'Box',
      baseUrl: `${box.server.origin}/v1`,
      host: box.server.host,
      scope: 'loopback',
      encrypted: false,
      key: 'none',
      models: [],
    });
    await expect(addServer(t, { kind: 'none' }, 'http://api.example.org')).rejects.toMatchObject({ code: 'remote.address' });
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
    expect(box.server.seen).toEqual([]);
  });
});
