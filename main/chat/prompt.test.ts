import { expect, test } from 'vitest';
import type { Message, Role } from '../contract/types.ts';
import { aMessage } from '../database/test-database.ts';
import { fakeChatModel } from '../../tests/fixtures-services/fake-models.ts';
import { assemblePrompt } from './prompt.ts';

const model = fakeChatModel('m', 'M');
const settings = { systemPrompt: 'S', maxAnswerTokens: 1000 };

function path(...turns: [Role, string][]): Message[] {
  return turns.map(([role, content], i) => aMessage({ id: `${i}`, conversationId: 'c', role, content }));
}

function prompt(messages: Message[], contextTokens: number, given = settings) {
  const { ids, ...rest } = assemblePrompt(messages, given, { model, contextTokens });
  return { text: String.fromCharCode(...ids), ...rest };
}

const long = path(
  ['user', 'q1'.padEnd(50)],
  ['assistant', 'a1'.padEnd(50)],
  ['user', 'q2'.padEnd(50)],
  ['assistant', 'a2'.padEnd(50)],
  ['user', 'q3'],
);

test('everything that fits is there; the answer may use what is left', () => {
  expect(prompt(path(['user', 'hi']), 100)).toEqual({
    text: '<system>S<user>hi<assistant>',
    droppedTurns: 0,
    maxAnswerTokens: 100 - 28,
    opening: '',
  });
  expect(prompt(path(['user', 'hi']), 100, { systemPrompt: '  ', maxAnswerTokens: 5 })).toEqual({
    text: '<user>hi<assistant>',
    droppedTurns: 0,
    maxAnswerTokens: 5,
    opening: '',
  });
});

test('the oldest turns drop first and whole, never the system prompt or the question', () => {
  expect(prompt(long, 1000).droppedTurns).toBe(0);
  const one = prompt(long, 250);
  expect(one.droppedTurns).toBe(1);
  expect(one.text.startsWith('<system>S<user>q2')).toBe(true);
  const both = prompt(long, 60);
  expect(both).toEqual({ text: '<system>S<user>q3<assistant>', droppedTurns: 2, maxAnswerTokens: 32, opening: '' });
});

test('for every context the fewest turns are dropped that leave the room kept for the answer', () => {
  for (let contextTokens = 40; contextTokens < 400; contextTokens += 7) {
    const { text, droppedTurns } = prompt(long, contextTokens);
    const reserve = Math.floor(contextTokens / 4);
    const lengthWith = (dropped: number) =>
      '<system>S'.length + long.slice(2 * dropped).reduce((n, m) => n + `<${m.role}>`.length + m.content.length, 0) + 11;
    const expected = [0, 1, 2].find((dropped) => lengthWith(dropped) + reserve <= contextTokens) ?? 2;
    expect([contextTokens, droppedTurns]).toEqual([contextTokens, expected]);
    expect(text.length).toBe(lengthWith(expected));
  }
});

test('a question that cannot fit is refused', () => {
  expect(() => prompt(path(['user', 'x'.repeat(100)]), 60)).toThrow(expect.objectContaining({ code: 'engine.context-full' }));
});

test('questions without an answer are joined with the next, so that roles take turns', () => {
  const messages = path(
    ['user', 'a'],
    ['assistant', ''],
    ['user', 'b'],
    ['assistant', 'B'],
    ['user', 'c'],
    ['assistant', ' '],
    ['user', 'd'],
  );
  expect(prompt(messages, 500).text).toBe('<system>S<user>a\n\nb<assistant>B<user>c\n\nd<assistant>');
});

test('thoughts of earlier turns are left out; a question whose answer was never reached is joined with the next', () => {
  const messages = path(
    ['user', 'a'],
    ['assistant', '<think>\nhm\n</think>\n\nA, in `</think>`'],
    ['user', 'b'],
    ['assistant', '<think>\nhm'],
    ['user', '<think>c'],
  );
  expect(prompt(messages, 500).text).toBe('<system>S<user>a<assistant>A, in `</think>`<user>b\n\n<think>c<assistant>');
});

test('what the template writes of the answer comes with the prompt', () => {
  const thinker = fakeChatModel('m', 'M', undefined, '<think>\n');
  const { ids, opening } = assemblePrompt(path(['user', 'hi']), settings, { model: thinker, contextTokens: 100 });
  expect([String.fromCharCode(...ids).endsWith(opening), opening]).toEqual([true, '<think>\n']);
});
