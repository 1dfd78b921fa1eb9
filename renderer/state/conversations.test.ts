import { beforeEach, expect, it } from 'vitest';
import { ManualClock } from './clock.ts';
import { Conversations } from './conversations.ts';
import { FakeClient } from './fake-client.ts';
import { Notices } from './notices.ts';
import { UNDO_MS } from './undoable.ts';

let clock: ManualClock;
let client: FakeClient;
let notices: Notices;
let list: Conversations;
const titles = () => list.value.conversations.map(({ title }) => title);
const requests = (channel: string) => client.log.filter((entry) => entry.channel === channel);

async function start(name: 'plain' | 'long'): Promise<void> {
  clock = new ManualClock(1_700_000_000_000);
  client = new FakeClient(clock, name);
  notices = new Notices(clock);
  list = new Conversations(client, clock, notices);
  void list.load();
  await clock.advance(5);
}

beforeEach(() => start('plain'));

it('searches after a pause, once', async () => {
  for (const query of ['s', 'sq', 'sql']) list.search(query);
  await clock.advance(300);
  expect(requests('conversations.list')).toHaveLength(2);
  expect(titles()).toEqual(['Untangling a recursive SQL query']);
});

it('reads older pages, each once', async () => {
  await start('long');
  expect(list.value).toMatchObject({ more: true });
  expect(titles()).toHaveLength(80);
  void list.loadMore();
  void list.loadMore();
  await clock.advance(5);
  expect(titles()).toHaveLength(160);
  expect(new Set(list.value.conversations.map(({ id }) => id)).size).toBe(160);
});

it('renames at once and trims', async () => {
  void list.rename('c-moe', '  Experts \n at work ');
  expect(titles()[0]).toBe('Experts at work');
  void list.rename('c-moe', '   ');
  await clock.advance(5);
  expect(requests('conversations.rename')).toHaveLength(1);
});

it('deletes only when the time to undo is over', async () => {
  list.delete('c-moe');
  expect(titles()).not.toContain('How mixture-of-experts models work');
  await clock.advance(UNDO_MS - 100);
  expect(requests('conversations.delete')).toHaveLength(0);
  await clock.advance(200);
  expect(requests('conversations.delete')).toHaveLength(1);
  expect(notices.value).toEqual([]);
});

it('puts a conversation back in its place', async () => {
  const before = titles();
  list.delete('c-1');
  notices.value[0].action?.run();
  expect(titles()).toEqual(before);
  await clock.advance(UNDO_MS * 2);
  expect(requests('conversations.delete')).toHaveLength(0);
});

it('deletes what waits when the page goes', async () => {
  list.delete('c-moe');
  list.flushDeletions();
  await clock.advance(5);
  expect(requests('conversations.delete')).toHaveLength(1);
  await clock.advance(UNDO_MS * 2);
  expect(requests('conversations.delete')).toHaveLength(1);
});

it('follows changes made elsewhere', async () => {
  const row = { ...list.value.conversations[3], updatedAtMs: clock.nowMs(), title: 'moved up' };
  void client.request('conversations.rename', { conversationId: row.id, title: 'moved up' });
  await clock.advance(5);
  expect(titles()).toContain('moved up');
  void client.request('conversations.delete', { conversationId: row.id });
  await clock.advance(5);
  expect(titles()).not.toContain('moved up');
});
