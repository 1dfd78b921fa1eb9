import { describe, expect, test } from 'vitest';
import { answerOpening, splitThoughts, withAnswer, type SplitAnswer } from './thoughts.ts';

const plain = (answer: string): SplitAnswer => ({ thoughts: null, answer, isThinking: false });
const thinking = (thoughts: string | null): SplitAnswer => ({ thoughts, answer: '', isThinking: true });
const both = (thoughts: string, answer: string): SplitAnswer => ({ thoughts, answer, isThinking: false });

describe('thoughts and answer', () => {
  test.each<[string, string, SplitAnswer]>([
    ['nothing', '', plain('')],
    ['no thoughts', ' Paris.', plain(' Paris.')],
    ['a block and an answer', '<think>\nFrance.\n</think>\n\nParis. ', both('France.', 'Paris. ')],
    ['the longer tag', '<thinking>France.</thinking>Paris.', both('France.', 'Paris.')],
    ['white space before', '\n <think>a</think>b', both('a', 'b')],
    ['a repeated tag', '<think>\n<think>\na</think>b', both('a', 'b')],
    ['a block with nothing in it', '<think>\n\n</think>\n\nParis.', plain('Paris.')],
    ['thoughts that did not end', '<think>\nFrance, so', thinking('France, so')],
    ['thoughts and nothing behind', '<think>a</think>\n', both('a', '')],
    ['half a closing tag at the end of all', '<think>a </thi', thinking('a </thi')],
    ['half an opening tag at the end of all', '<thi', plain('<thi')],
    ['the first closing tag ends it', '<think>a</think>b </think> c', both('a', 'b </think> c')],
    ['tags later on', 'Write <think>x</think> so.', plain('Write <think>x</think> so.')],
    ['a tag in code at the beginning', '`<think>` opens', plain('`<think>` opens')],
    ['a tag of another name', '<thinker>x</thinker>', plain('<thinker>x</thinker>')],
    ['another markup', '<p>x</p>', plain('<p>x</p>')],
    ['only a closing tag, alone in its line', 'France.\n</think>\n\nParis.', both('France.', 'Paris.')],
    ['the same with nothing before it', '\n</think>\n\nParis.', plain('Paris.')],
    ['the same at the end', 'France.\n</think>', both('France.', '')],
    ['a closing tag within a line', 'Use </think> to end.\nDone.', plain('Use </think> to end.\nDone.')],
    ['a closing tag in fenced code', '```\n</think>\n```\n', plain('```\n</think>\n```\n')],
    ['a closing tag behind an opening one', 'So:\n<think>\n</think>\nDone', plain('So:\n<think>\n</think>\nDone')],
    ['surrogates stay whole', '<think>🐦</think>🐦', both('🐦', '🐦')],
  ])('%s', (_what, content, expected) => {
    expect(splitThoughts(content)).toEqual(expected);
    expect(content.endsWith(splitThoughts(content).answer)).toBe(true);
  });

  test('while it grows, no tag flashes and the answer never shrinks', () => {
    for (const content of [
      '<think>\nOne < two.\n</think>\n\nThree < four </b>',
      '\n<thinking>a</thinking>b',
      'Plain <b',
      '<p>x',
    ]) {
      let before = '';
      for (let length = 0; length <= content.length; length++) {
        const { thoughts, answer } = splitThoughts(content.slice(0, length), true);
        expect(thoughts ?? '').not.toMatch(/<\/?t|<\/$/);
        expect(answer.trim()).not.toMatch(/<\/?thi|^<$/);
        expect(answer.startsWith(before)).toBe(true);
        before = answer;
      }
      expect(before).toBe(splitThoughts(content).answer);
    }
  });

  test.each<[string, SplitAnswer]>([
    ['<', thinking(null)],
    [' \n', plain('')],
    [' <thinkin', thinking(null)],
    ['<thinker', plain('<thinker')],
    ['<think>', thinking('')],
    ['<think>a </', thinking('a')],
    ['<think>a < b', thinking('a < b')],
    ['x <', plain('x <')],
  ])('%j so far', (content, expected) => expect(splitThoughts(content, true)).toEqual(expected));

  // With a rule that looks back over white space these take minutes, which the time limit of tests ends.
  test('long contents take time that grows with their length', () => {
    const spaces = ' \n'.repeat(200_000);
    const tags = ['<'.repeat(400_000), '```\n</thinkk\n'.repeat(30_000), '<think>'.repeat(50_000)];
    for (const content of [spaces, `<think>${spaces}`, `${spaces}</thin`, `x${spaces}</think`, ...tags])
      expect(content.endsWith(splitThoughts(content).answer)).toBe(true);
  });
});

test('the answer is changed, the thoughts stay', () => {
  expect(withAnswer('<think>\na\n</think>\n\nb [9]', 'b')).toBe('<think>\na\n</think>\n\nb');
  expect(withAnswer('b [9]', 'b')).toBe('b');
});

test.each([
  ['<|im_start|>assistant\n<think>\n', '<think>\n'],
  ['<Assistant><thinking>', '<thinking>'],
  ['<|im_start|>assistant\n<think>\n\n</think>\n\n', ''],
  ['<|im_start|>assistant\n', ''],
])('%j opens the answer with %j', (prompt, opening) => {
  expect(
    answerOpening([
      { text: 'Hi', trusted: false },
      { text: prompt, trusted: true },
    ]),
  ).toBe(opening);
  expect(answerOpening([{ text: prompt, trusted: false }])).toBe('');
});
