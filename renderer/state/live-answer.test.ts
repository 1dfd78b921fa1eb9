import { expect, it } from 'vitest';
import { LiveAnswer } from './live-answer.ts';

it('adds pieces in order and ignores what it knows', () => {
  const answer = new LiveAnswer();
  expect(answer.push(0, 'Hel')).toBe('added');
  expect(answer.push(3, 'lo')).toBe('added');
  expect(answer.push(0, 'Hello')).toBe('known');
  expect(answer.push(4, 'o!')).toBe('added');
  expect(answer.text).toBe('Hello!');
});

it('keeps pieces beyond a gap until the text between is read', () => {
  const answer = new LiveAnswer();
  answer.push(0, 'one ');
  expect(answer.push(8, 'three ')).toBe('gap');
  expect(answer.push(14, 'four')).toBe('gap');
  expect(answer.text).toBe('one ');
  answer.rebase('one t');
  expect(answer.hasGap).toBe(true);
  answer.rebase('one two ');
  expect(answer.text).toBe('one two three four');
  expect(answer.hasGap).toBe(false);
});

it('fills a gap from a piece that comes late', () => {
  const answer = new LiveAnswer();
  answer.push(2, 'c');
  expect(answer.push(0, 'ab')).toBe('added');
  expect(answer.text).toBe('abc');
});

it('keeps its own text where what was read is shorter', () => {
  const answer = new LiveAnswer();
  answer.push(0, 'long text');
  answer.rebase('long');
  expect(answer.text).toBe('long text');
});

it('any order of pieces gives the same text', () => {
  const text = 'Grüße 👋🏽, 世界 — and more of it, long enough to cut.';
  const pieces: [number, string][] = [];
  for (let at = 0; at < text.length; at += 5) pieces.push([at, text.slice(at, at + 5)]);
  let state = 7;
  for (let round = 0; round < 50; round++) {
    const order = [...pieces];
    for (let i = order.length - 1; i > 0; i--) {
      state = (state * 1103515245 + 12345) % 2147483648;
      const j = state % (i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    const answer = new LiveAnswer();
    for (const [offset, piece] of order) answer.push(offset, piece);
    expect(answer.text, `seed 7, round ${round}`).toBe(text);
  }
});
