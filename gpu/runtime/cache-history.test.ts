import { expect, test } from 'vitest';
import { CacheHistory } from './cache-history.ts';

test('runs grow, meet and are cut', () => {
  const history = new CacheHistory();
  expect([history.tokens, history.runs(0)]).toEqual([0, []]);
  history.add('prefill', 4);
  history.add('prefill', 9);
  history.add('prefill', 9);
  history.add('decode', 10);
  history.add('decode', 12);
  history.add('prefill', 20);
  expect(history.runs(0)).toEqual([
    { by: 'prefill', from: 0, to: 9 },
    { by: 'decode', from: 9, to: 12 },
    { by: 'prefill', from: 12, to: 20 },
  ]);
  expect(history.runs(11)).toEqual([
    { by: 'decode', from: 11, to: 12 },
    { by: 'prefill', from: 12, to: 20 },
  ]);
  history.truncate(10);
  history.truncate(15);
  expect([history.tokens, history.runs(9)]).toEqual([10, [{ by: 'decode', from: 9, to: 10 }]]);
  history.add('decode', 11);
  expect(history.runs(0)).toHaveLength(2);
  expect(() => history.add('decode', 3)).toThrow('not made shorter');
});
