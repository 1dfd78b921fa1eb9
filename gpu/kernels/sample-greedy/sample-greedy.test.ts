/** `sample-greedy` without a device. */
import { expect, test } from 'vitest';
import { ringEntryWords, sampleGreedyKernel } from './sample-greedy.ts';

test('a ring entry is four words and two ids a word', () => {
  expect([0, 1, 2, 7].map(ringEntryWords)).toEqual([4, 5, 5, 8]);
});

test('WGSL', async () => {
  const { program, grid } = sampleGreedyKernel({ vocabularySize: 1000, recordsAt: 200, recordWords: 8 });
  expect(grid).toEqual([1, 1, 1]);
  await expect(program.code).toMatchFileSnapshot('sample-greedy.snap.wgsl');
});
