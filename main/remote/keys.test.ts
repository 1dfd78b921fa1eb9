import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { json, startFakeOpenAi } from '../../tests/fixtures-services/fake-openai.ts';
import { remoteBox, SECRET } from '../../tests/fixtures-services/remote-box.ts';
import { type TestServices } from '../../tests/fixtures-services/test-services.ts';
import { Keys, NO_KEY_STORE } from './keys.ts';

const box = remoteBox();
const { setUp, end, addServer } = box;

describe('keys', () => {
  const everything = () =>
    readFileSync(path.join(box.folder, 'history.sqlite'), 'latin1') +
    readFileSync(path.join(box.folder, 'history.sqlite-wal'), 'latin1');
  const used = () => box.server.seen.at(-1)?.headers.authorization ?? null;
  const probe = async (t: TestServices, serverId: string) => {
    box.server.reply = (_, response) => json(response, 200, { data: [] });
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
    box.server.reply = (_, response) => json(response, 500, { error: 'no' });
    await expect(t.request('remote.test', { serverId: saved.id })).rejects.toSatisfy(
      (error) => !JSON.stringify(error).includes(SECRET),
    );
    expect(everything()).not.toContain(SECRET);
    expect(everything()).toContain(store.seal(SECRET));
    expect(JSON.stringify([t.events, await t.request('app.state', {})])).not.toContain(SECRET);
    await end(t);
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
    await end(t);
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
    expect(box.server.seen).toEqual([]);
  });

  test('of one address never go to another', async () => {
    const other = await startFakeOpenAi();
    try {
      const t = setUp({}, { keyStore: store });
      const { id: serverId } = await addServer(t, { kind: 'set', value: SECRET, store: true });
      const kept = { serverId, name: 'Box', key: { kind: 'keep' } } as const;
      expect((await t.request('remote.save', { ...kept, address: `${box.server.origin}/other/v1` })).key).toBe('stored');
      expect((await t.request('remote.save', { ...kept, address: other.origin })).key).toBe('none');
      other.reply = (_, response) => json(response, 200, { data: [] });
      await t.request('remote.test', { serverId });
      expect(other.seen[0].headers.authorization).toBeUndefined();
      expect((await t.request('remote.save', { ...kept, address: box.server.origin })).key).toBe('none');
    } finally {
      await other.close();
    }
  });

  test('come from the variable of their host only', async () => {
    const { host } = new URL(box.server.origin);
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

const server = { id: 's', baseUrl: 'https://llm.example.net/v1', sealedKey: null };
const moved = { ...server, baseUrl: 'https://elsewhere.example.net/v1' };

function holding(value: string): Keys {
  const keys = new Keys(NO_KEY_STORE, {});
  keys.change(server.id, null, { kind: 'set', value, store: false });
  return keys;
}

test('a key held for this session stays with its server, and is gone once the address leads elsewhere', () => {
  const keys = holding('sk-0123456789');
  keys.change(server.id, server, { kind: 'keep' });
  expect([keys.stateOf(server), keys.keyOf(server)]).toEqual(['session', 'sk-0123456789']);
  keys.change(server.id, null, { kind: 'keep' });
  expect([keys.stateOf(moved), keys.keyOf(moved)]).toEqual(['none', null]);
});

test('a key held for this session is gone when it is taken away or its server goes', () => {
  const cleared = holding('sk-0123456789');
  cleared.change(server.id, server, { kind: 'none' });
  expect(cleared.keyOf(server)).toBeNull();
  const forgotten = holding('sk-0123456789');
  forgotten.forget(server.id);
  expect(forgotten.keyOf(server)).toBeNull();
});
