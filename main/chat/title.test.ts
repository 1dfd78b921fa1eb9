import { expect, test } from 'vitest';
import { titleFrom } from './title.ts';

test('short questions are the title, on one line', () => {
  expect(titleFrom('  What is\n\tthis?  ')).toBe('What is this?');
  expect(titleFrom(' \n ')).toBe('New conversation');
});

test('long ones are cut between words', () => {
  const title = titleFrom('word '.repeat(40));
  expect(title).toBe('word '.repeat(11).trimEnd() + '…');
  expect(titleFrom('x'.repeat(100))).toBe('x'.repeat(59) + '…');
});

test('a character made of several is never cut apart', () => {
  const family = '👨‍👩‍👧‍👦';
  expect(titleFrom(family.repeat(70))).toBe(family.repeat(59) + '…');
});
