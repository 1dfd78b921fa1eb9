import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Passage } from '../../main/contract/documents.ts';
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

test('passages come best first, none twice', () => {
  const { direct } = corpus.questions[0];
  const passages = indexed.retriever.retrieve(indexed.collectionId, direct, 5);
  expect(passages).toHaveLength(5);
  expect(new Set(passages.map(({ text }) => text)).size).toBe(5);
  const scores = passages.map(({ score }) => score);
  expect(scores).toEqual([...scores].sort((a, b) => b - a));
});

/** The passages, best first, of a collection with these documents. */
async function ask(texts: Readonly<Record<string, string>>, question: string, atMost: number): Promise<readonly Passage[]> {
  const documents = Object.entries(texts).map(([name, text]) => ({ name, text }));
  const small = await indexCorpus(path.join(folder.path, 'small'), { documents, questions: [] });
  try {
    return small.retriever.retrieve(small.collectionId, question, atMost);
  } finally {
    small.close();
    rmSync(path.join(folder.path, 'small'), { recursive: true });
  }
}

test('near-copies of a better passage are left out', async () => {
  const lease =
    'The tenant pays the rent on the first of each month, and the landlord repairs the roof, the stairs and the heating.';
  const texts = {
    'lease.md': lease,
    'lease, signed.md': lease.replace('first', 'third'),
    'letter.md': 'The landlord writes that the rent will rise in spring.',
  };
  const passages = await ask(texts, 'Who pays the rent, tenant or landlord?', 5);
  const names = passages.map(({ documentId }) => documentId);
  expect(names).toHaveLength(2);
  expect(names[0]).toMatch(/^lease/);
  expect(names[1]).toBe('letter.md');
});

test('a passage with more of the question comes before one with a rare word of it', async () => {
  const places = 'mill bridge tower school harbour market garden library'.split(' ');
  const others = places.map((place) => [
    `${place}.md`,
    `The ${place} was painted green. A keeper opened it in spring, and the gate was closed at night.`,
  ]);
  const texts = {
    'rare.md': 'A heron stood there. The heron flew off, and another heron came.',
    'asked.md': 'The keeper painted the gate at night.',
    ...Object.fromEntries(others),
  };
  const [best, second] = await ask(texts, 'Which keeper painted the gate at night, and was a heron there?', 5);
  expect([best.documentId, second.documentId]).toEqual(['asked.md', 'rare.md']);
});

test('where little is found, what stands around it comes along, after it', async () => {
  const text = [
    'The bakery opens at six.',
    'The ferry leaves from the northern pier.',
    'Dogs are held on a lead.',
    'The pool is heated with wood.',
  ];
  const sections = text.map((sentence, i) => `## Part ${i}\n\n${sentence}`).join('\n\n');
  const passages = await ask({ 'town.md': sections }, 'Where does the ferry leave from?', 3);
  expect(passages[0].text).toContain('ferry');
  expect(passages.map(({ heading }) => heading)).toEqual(['Part 1', 'Part 2', 'Part 0']);
});
