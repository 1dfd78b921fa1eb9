import { afterAll, beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../fixtures-services/temporary-folder.ts';
import { answerSupport } from './answer-support.ts';
import { generateCorpus } from './corpus.ts';
import { indexCorpus, recall, type IndexedCorpus } from './index-corpus.ts';

const seed = 5;
const corpus = generateCorpus(seed, { nDocuments: 6, nSections: 40, nQuestions: 60 });
const folder = temporaryFolder();
let indexed: IndexedCorpus;
beforeAll(async () => void (indexed = await indexCorpus(folder.path, corpus)));
afterAll(() => {
  indexed.close();
  folder.remove();
});

test('recall@5: nearly every question in the words of the text, most of those in other words', () => {
  const direct = recall(indexed, corpus.questions, 'direct', 5);
  const paraphrase = recall(indexed, corpus.questions, 'paraphrase', 5);
  console.log(`seed ${seed}: recall@5 direct ${direct}, paraphrased ${paraphrase.toFixed(2)}`);
  expect(direct).toBeGreaterThanOrEqual(0.95);
  expect(paraphrase).toBeGreaterThanOrEqual(0.5);
});

test('right answers are supported and quoted with their sentence, wrong ones are not', () => {
  const { questions, right, quoted, wrong } = answerSupport(indexed, corpus.questions);
  console.log(
    `seed ${seed}: of ${questions} right answers ${right} supported, ${quoted} quoted; of as many wrong ones ${wrong} supported`,
  );
  expect(questions).toBeGreaterThan(50);
  expect(right / questions).toBeGreaterThanOrEqual(0.95);
  expect(quoted / questions).toBeGreaterThanOrEqual(0.95);
  expect(wrong / questions).toBeLessThanOrEqual(0.02);
});

test('whatever is asked is a question, never query syntax', () => {
  const questions = [
    '"',
    '* OR *',
    'NEAR(a b)',
    'title:x AND NOT (',
    'it\'s "quoted" -- DROP',
    '^a + b',
    '{',
    'mill OR',
    '  ',
    '\u0000',
    '🐦',
    'a'.repeat(500),
  ];
  for (const question of questions)
    expect(Array.isArray(indexed.retriever.retrieve(indexed.collectionId, question, 5)), question).toBe(true);
  expect(indexed.retriever.retrieve('another collection', 'mill', 5)).toEqual([]);
});

test('near-copies of a better passage are left out, and passages come best first', () => {
  const { direct } = corpus.questions[0];
  const passages = indexed.retriever.retrieve(indexed.collectionId, direct, 5);
  expect(passages).toHaveLength(5);
  expect(new Set(passages.map(({ text }) => text)).size).toBe(5);
  const scores = passages.map(({ score }) => score);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
});
