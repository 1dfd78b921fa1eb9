import { expect, test } from 'vitest';
import type { Channel } from './channels.ts';
import { isChannel, parseRequest, validSettings } from './validators.ts';

test('channels of the contract are known, names of Object.prototype are not', () => {
  expect(isChannel('chat.send')).toBe(true);
  for (const name of ['chat.fly', 'toString', '__proto__', 'constructor']) expect(isChannel(name)).toBe(false);
});

test('a good request passes unchanged', () => {
  const request = { conversationId: null, parentId: null, text: ' Hello\n', collectionId: null };
  expect(parseRequest('chat.send', request)).toEqual(request);
  expect(parseRequest('settings.update', { theme: 'dark', seed: null })).toEqual({ theme: 'dark', seed: null });
});

const refusals: [Channel, unknown, string][] = [
  ['chat.send', { conversationId: null, parentId: null, text: '  \n ', collectionId: null }, 'text'],
  ['chat.send', { conversationId: null, parentId: null, text: 7 }, 'text'],
  ['chat.send', { parentId: null, text: 'x' }, 'conversationId'],
  ['chat.send', { conversationId: null, parentId: null, text: 'x', collectionId: null, extra: 1 }, 'extra'],
  ['chat.send', null, ''],
  ['chat.send', [], 'conversationId'],
  ['chat.send', { conversationId: null, parentId: null, text: 'x' }, 'collectionId'],
  ['documents.add', { collectionId: 'c', paths: [] }, 'paths'],
  ['documents.add', { collectionId: 'c', paths: ['a\0'] }, 'paths.0'],
  ['documents.pick', { collectionId: 'c', what: 'drive' }, 'what'],
  ['documents.search', { collectionId: 'c', query: 'q', limit: 101 }, 'limit'],
  ['chat.stop', { answerId: '' }, 'answerId'],
  ['conversations.list', { query: '', limit: 0, beforeMs: null }, 'limit'],
  ['conversations.list', { query: '', limit: 1e9, beforeMs: null }, 'limit'],
  ['conversations.list', { query: 'x'.repeat(501), limit: 1, beforeMs: null }, 'query'],
  ['conversations.rename', { conversationId: 'c', title: ' ' }, 'title'],
  ['library.import', { path: 'a\0b' }, 'path'],
  ['settings.update', { temperature: NaN }, 'temperature'],
  ['settings.update', { temperature: -1 }, 'temperature'],
  ['settings.update', { topP: 0 }, 'topP'],
  ['settings.update', { topK: 300 }, 'topK'],
  ['settings.update', { minP: 1 }, 'minP'],
  ['settings.update', { expertsUsed: 0 }, 'expertsUsed'],
  ['settings.update', { approximateRouting: 0 }, 'approximateRouting'],
  ['settings.update', { expertsUsed: 2.5 }, 'expertsUsed'],
  ['settings.update', { seed: 2 ** 32 }, 'seed'],
  ['settings.update', { theme: 'pink' }, 'theme'],
  ['settings.update', { kvType: 'q4_0' }, 'kvType'],
];
test.each(refusals)('%s refuses %j and names the field', (channel, payload, field) => {
  expect(() => parseRequest(channel, payload)).toThrow(
    expect.objectContaining({ code: 'request.invalid', details: { channel, field } }),
  );
});

test('a key of a server is never repeated in a refusal', () => {
  const secret = 'sk-secret with a space';
  const payload = { serverId: null, name: 'x', address: 'x', key: { kind: 'set', value: secret, store: true } };
  for (const wrong of [payload, { ...payload, key: { ...payload.key, value: `${secret}\r\n` } }, { ...payload, key: secret }])
    expect(() => parseRequest('remote.save', wrong)).toThrow(
      expect.objectContaining({ code: 'request.invalid', message: expect.not.stringContaining('sk-secret') as string }),
    );
});

test('inherited names are no fields, and nothing is polluted', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    const payload: unknown = JSON.parse(`{"answerId":"a","${name}":{"polluted":true}}`);
    expect(() => parseRequest('chat.stop', payload)).toThrow(expect.objectContaining({ code: 'request.invalid' }));
  }
  expect('polluted' in {}).toBe(false);
});

test('what is huge or deep is refused without being walked', () => {
  const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  const long = 'x'.repeat(5_000_000);
  for (const payload of [deep, long, { answerId: deep }, { answerId: long }, { answerId: 'a', extra: long }]) {
    const error = (() => {
      try {
        return parseRequest('chat.stop', payload);
      } catch (thrown) {
        return thrown as Error;
      }
    })();
    expect(error).toMatchObject({ code: 'request.invalid' });
    expect((error as Error).message.length).toBeLessThan(1000);
  }
});

test('settings from elsewhere: what is impossible is left out', () => {
  const stored = new Map<string, unknown>([
    ['theme', 'dark'],
    ['topK', 'many'],
    ['fromTheFuture', 1],
  ]);
  expect(validSettings(stored)).toEqual({ theme: 'dark' });
});
