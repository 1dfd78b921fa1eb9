import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBetterSqlite3 } from './database/better-sqlite3.ts';
import { temporaryFolder } from '../tests/fixtures-services/temporary-folder.ts';
import { finishedEvents, testServices, type TestServices } from '../tests/fixtures-services/test-services.ts';
import { DEFAULT_SETTINGS } from './settings/settings.ts';

let folder: ReturnType<typeof temporaryFolder>;
let open: TestServices[] = [];
beforeEach(() => void (folder = temporaryFolder()));
afterEach(async () => {
  for (const { services } of open) await services.close();
  folder.remove();
  open = [];
});

function setUp(): TestServices {
  const test = testServices(folder.path);
  open.push(test);
  return test;
}

test('requests that do not exist or are not allowed are refused', async () => {
  const { services } = setUp();
  await expect(services.handle('app.explode', {})).rejects.toMatchObject({ code: 'request.unknown' });
  await expect(services.handle('__proto__', {})).rejects.toMatchObject({ code: 'request.unknown' });
  await expect(services.handle('chat.send', { text: 1 })).rejects.toMatchObject({ code: 'request.invalid' });
  await expect(services.handle('library.pick', {})).rejects.toMatchObject({ code: 'host.unsupported' });
});

test('one writer per folder; closing frees it', async () => {
  const first = setUp();
  expect(() => testServices(folder.path)).toThrow(
    expect.objectContaining({
      code: 'data.locked',
      details: expect.objectContaining({ pid: process.pid, program: 'browser host' }),
    }),
  );
  open = [];
  await first.services.close();
  setUp();
});

test('a database that cannot be opened frees the folder again', async () => {
  const { services } = setUp();
  await services.close();
  open = [];
  const raw = openBetterSqlite3(path.join(folder.path, 'history.sqlite'));
  const { user_version } = raw.prepare('PRAGMA user_version').get() as { user_version: number };
  raw.exec('PRAGMA user_version = 9990');
  for (let attempt = 0; attempt < 2; attempt++)
    expect(() => testServices(folder.path)).toThrow(expect.objectContaining({ code: 'data.newer' }));
  raw.exec(`PRAGMA user_version = ${user_version}`);
  raw.close();
  setUp();
});

test('settings: defaults, changed, kept over a restart; a stored value that is not allowed any more is left out', async () => {
  const first = setUp();
  expect((await first.request('app.state', {})).settings).toEqual(DEFAULT_SETTINGS);
  const changed = await first.request('settings.update', { theme: 'dark', topK: 5 });
  expect(changed).toEqual({ ...DEFAULT_SETTINGS, theme: 'dark', topK: 5 });
  expect(first.events).toEqual([{ name: 'settings.changed', payload: changed }]);
  await first.services.close();
  open = [];
  const raw = openBetterSqlite3(path.join(folder.path, 'history.sqlite'));
  raw.prepare(`UPDATE settings SET value_json = '9999' WHERE key = 'topK'`).run();
  raw.close();
  const second = setUp();
  expect((await second.request('app.state', {})).settings).toEqual({ ...DEFAULT_SETTINGS, theme: 'dark' });
});

test('conversations: searched, renamed, announced', async () => {
  const t = setUp();
  const { conversation } = await t.ask('Where do puffins nest?');
  const list = (query: string) => t.request('conversations.list', { query, limit: 10, beforeMs: null });
  expect(await list('puffin')).toEqual([conversation]);
  expect(await list('penguin')).toEqual([]);
  const renamed = await t.request('conversations.rename', { conversationId: conversation.id, title: '  Birds ' });
  expect(renamed.title).toBe('Birds');
  expect(t.events.at(-1)).toEqual({
    name: 'conversations.changed',
    payload: { conversationId: conversation.id, conversation: renamed },
  });
});

test('experts at work: told to the page, kept as the profile from which the next load starts', async () => {
  const test = setUp();
  expect(await test.request('experts.current', {})).toBeNull();
  const gpuMemory = { weightsBytes: 1, expertsBytes: 2, kvBytes: 3, activationsBytes: 4, stagingBytes: 5, totalBytes: 15 };
  test.engine.experts = {
    tokens: 0,
    nUsed: 1,
    layers: [{ layer: 0, uses: [5, 2] }],
    usesByDepth: [5, 2],
    substitutes: 0,
    hits: 6,
    missesFromRam: 1,
    missesFromDisk: 0,
    gpuMemory,
    ramPoolBytes: 0,
  };
  await test.withModel();
  const { answer } = await test.ask('Who works?');
  await test.until(() => finishedEvents(test.events).length === 1, 'the answer');
  const told = test.events.findLast((event) => event.name === 'experts.activity')!.payload;
  expect(told).toMatchObject({ answerId: answer.id, modelName: 'model', activity: { layers: [{ uses: [5, 2] }] } });
  expect(await test.request('experts.current', {})).toEqual(told);
  expect(readdirSync(path.join(folder.path, 'routing-profiles'))).toHaveLength(1);
});
