import { beforeEach, expect, it } from 'vitest';
import { App } from './app.ts';
import { ManualClock } from './clock.ts';
import { FakeClient } from './fake-client.ts';
import { Notices } from './notices.ts';
import { Servers } from './servers.ts';

let clock: ManualClock;
let client: FakeClient;
let app: App;
let notices: Notices;
let servers: Servers;

beforeEach(async () => {
  clock = new ManualClock(1_700_000_000_000);
  client = new FakeClient(clock, 'remote');
  notices = new Notices(clock);
  app = new App(client, notices);
  servers = new Servers(client, notices);
  void app.start();
  await clock.advance(5);
});

const settled = async <T>(made: Promise<T>): Promise<T> => {
  await clock.advance(5);
  return made;
};

it('the chosen model of a server is no model of the library', () => {
  expect(app.selectedModel).toBeNull();
  expect(app.selectedRemote).toMatchObject({ server: { host: 'llm.example.org' }, model: { id: 'remote-large' } });
});

it('a test of the connection is asked for, then found or said; removing a server forgets it', async () => {
  const asked = servers.test('server-office');
  expect(servers.value.probes.get('server-office')).toEqual({ phase: 'asking' });
  await settled(asked);
  expect(servers.value.probes.get('server-office')).toMatchObject({ phase: 'answered', models: { length: 3 } });
  await settled(servers.test('server-box'));
  expect(servers.value.probes.get('server-box')).toMatchObject({ phase: 'failed', error: { code: 'remote.unreachable' } });
  await settled(servers.remove('server-box'));
  expect([...servers.value.probes.keys()]).toEqual(['server-office']);
  expect(app.value.servers.map(({ id }) => id)).toEqual(['server-office']);
});

it('what a test finds after the server was changed is another server’s, and forgotten', async () => {
  const late = servers.test('server-office');
  const change = {
    serverId: 'server-office',
    name: 'Moved',
    address: 'https://moved.example.org',
    key: { kind: 'keep' },
  } as const;
  const saved = servers.save(change);
  await settled(Promise.all([late, saved]));
  expect(servers.value.probes.has('server-office')).toBe(false);
});

it('an address that is refused says why, and no notice covers the form', async () => {
  const change = { serverId: null, name: 'x', address: 'nonsense', key: { kind: 'none' } } as const;
  expect(await settled(servers.save(change))).toMatchObject({ code: 'remote.address' });
  expect(notices.value).toEqual([]);
});
