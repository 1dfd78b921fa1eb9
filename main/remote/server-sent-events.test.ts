import { expect, test } from 'vitest';
import { MAX_EVENT_CHARS, ServerSentEvents } from './server-sent-events.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

function parse(text: string, pieceBytes: number): string[] {
  const parser = new ServerSentEvents();
  const all = bytes(text);
  const events = [];
  for (let at = 0; at < all.length; at += pieceBytes) events.push(...parser.push(all.subarray(at, at + pieceBytes)));
  return [...events, ...parser.end()].map(({ field, text: found }) => `${field}=${found}`);
}

const STREAM = [
  '\uFEFFdata: one\n\n',
  ': a comment\r\ndata:two\r\n\r\n',
  'event: message\rid: 7\rdata: three\rdata: and more\r\r',
  'retry: 10\nnonsense\n\u0000\u0001garbage: x\n\n',
  'data\n\n',
  'error: {"message":"no"}\n\n',
  'data: Mödel 🐦\n\n\n\n',
  'data: last',
].join('');

test('events come out the same wherever the bytes are cut', () => {
  const expected = [
    'data=one',
    'data=two',
    'data=three\nand more',
    'data=',
    'error={"message":"no"}',
    'data=Mödel 🐦',
    'data=last',
  ];
  for (let pieceBytes = 1; pieceBytes <= 40; pieceBytes++)
    expect([pieceBytes, ...parse(STREAM, pieceBytes)]).toEqual([pieceBytes, ...expected]);
});

test('a line, or an event of many lines, has a largest size', () => {
  const tooLong = expect.objectContaining({ code: 'remote.not-compatible' }) as Error;
  const line = new ServerSentEvents();
  const part = bytes('x'.repeat(MAX_EVENT_CHARS / 4));
  expect(() => Array.from({ length: 5 }, () => line.push(part))).toThrow(tooLong);
  const lines = new ServerSentEvents();
  expect(() => Array.from({ length: 5 }, () => lines.push(bytes(`data: ${'x'.repeat(MAX_EVENT_CHARS / 4)}\n`)))).toThrow(tooLong);
});

test('a megabyte in one-byte pieces is read in good time', () => {
  const parser = new ServerSentEvents();
  const one = bytes('x');
  parser.push(bytes('data: '));
  for (let at = 0; at < 1_000_000; at++) parser.push(one);
  expect(parser.push(bytes('\n\n'))[0].text.length).toBe(1_000_000);
});
