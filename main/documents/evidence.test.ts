import { describe, expect, test } from 'vitest';
import { ABSENT_ANSWER } from '../chat/document-prompt.ts';
import { checkCitations, citedIn, withoutCitations } from './citations.ts';
import { checkAnswer, isAbsent, type EvidencePassage } from './evidence.ts';

describe('citations', () => {
  const cases: [answer: string, nPassages: number, text: string, removed: number][] = [
    ['It is red [1].', 1, 'It is red [1].', 0],
    ['It is red [2].', 1, 'It is red.', 1],
    ['It is red [0].', 3, 'It is red.', 1],
    ['Both [1, 3] and [2][7].', 3, 'Both [1][3] and [2].', 1],
    ['All [1; 9, 2].', 2, 'All [1][2].', 1],
    ['It is red. [1]', 1, 'It is red. [1]', 0],
    ['Nothing to see here', 3, 'Nothing to see here', 0],
    ['Use `list[9]` here [9].', 1, 'Use `list[9]` here.', 1],
    ['```\na[7] = b[8]\n``` so [1]', 1, '```\na[7] = b[8]\n``` so [1]', 0],
    ['A range [12345] is no citation, nor is [x] or [1a].', 1, 'A range [12345] is no citation, nor is [x] or [1a].', 0],
    ['line one [5]\nline two', 1, 'line one\nline two', 1],
    ['', 0, '', 0],
  ];
  test.each(cases)('%j with %i passages', (answer, nPassages, text, removed) => {
    expect(checkCitations(answer, nPassages)).toEqual({ text, removed });
  });

  test('which passages a sentence cites', () => {
    expect(citedIn('So it is [1][3], or not [2].')).toEqual([1, 3, 2]);
    expect(withoutCitations('So it is [1][3], or [2, 4] not.')).toBe('So it is, or not.');
  });
});

const lighthouse: EvidencePassage = {
  documentTitle: 'Lighthouses of the north',
  heading: 'Skagen',
  page: 12,
  start: 1000,
  text: 'The grey lighthouse of Skagen is 46 metres high. It was built in 1858 by the architect Niels Sigfred Nebelong. Its lamp burned 1,200 litres of oil a year.',
};
const keeper: EvidencePassage = {
  documentTitle: 'Diary',
  heading: null,
  page: null,
  start: 50,
  text: 'The keeper of the lighthouse had two cats. He wrote about the weather every evening.',
};
const passages = [lighthouse, keeper];

describe('support', () => {
  const question = 'When was the lighthouse of Skagen built?';
  const cases: [answer: string, question: string, verdict: string, quote: string | null, unsupported: string[]][] = [
    ['It was built in 1858 [1].', question, 'supported', 'It was built in 1858', []],
    ['1858 [1].', question, 'supported', 'It was built in 1858', []],
    ['The lighthouse of Skagen was built in 1878 [1].', question, 'unsupported', 'It was built in 1858', ['1878']],
    // All its words are right, one figure is not.
    [
      'The lighthouse of Skagen was built in 1858 by the architect Niels Sigfred Nebelong in 14 years [1].',
      question,
      'unsupported',
      'It was built in 1858',
      ['14 years'],
    ],
    ['Niels Sigfred Nebelong built it [1].', 'Who was its architect?', 'supported', 'It was built in 1858', []],
    ['Johann Gottfried Schadow built it [1].', 'Who was its architect?', 'unsupported', 'It was built in 1858', ['Schadow']],
    // One name of two is right.
    ['Jens Nebelong built it [1].', 'Who was its architect?', 'unsupported', 'It was built in 1858', ['Jens']],
    ['It is 46 metres high. [1]', 'How high is the lighthouse?', 'supported', 'The grey lighthouse', []],
    ['It burned 1200 litres of oil [1].', 'How much oil did the lamp burn?', 'supported', 'Its lamp burned', []],
    ['The keeper had 2 cats [2].', 'How many cats were there?', 'supported', 'The keeper of', []],
    // Right, but the passage that it cites says nothing of the kind: the sentence is not marked, the verdict is.
    ['The keeper had two cats [1].', 'How many cats were there?', 'unsupported', 'The keeper of', []],
    // Without a citation any passage may support it.
    ['The keeper had two cats.', 'How many cats were there?', 'supported', 'The keeper of', []],
    [
      'It was built in 1858 [1]. Its walls are painted with blue stars [1].',
      question,
      'supported',
      'It was built',
      ['blue stars'],
    ],
    [ABSENT_ANSWER, 'How many stairs are there in the tower of Ribe?', 'absent', null, []],
    [`${ABSENT_ANSWER} [1]`, 'Which colour has the boat?', 'absent', null, []],
    [ABSENT_ANSWER, 'How high is the grey lighthouse of Skagen?', 'unsupported', 'The grey lighthouse', []],
  ];
  test.each(cases)('%j to %j is %s', (answer, asked, verdict, quote, unsupported) => {
    const { content, evidence } = checkAnswer(answer, asked, passages);
    expect({ verdict: evidence.verdict, quote: evidence.quote?.text.slice(0, quote?.length) ?? null }).toEqual({
      verdict,
      quote,
    });
    const marked = evidence.unsupportedSentences.map(({ start, end }) => content.slice(start, end));
    expect(marked.length).toBe(unsupported.length);
    unsupported.forEach((words, i) => expect(marked[i]).toContain(words));
  });

  test('a quote knows its passage, its place in the document and its page', () => {
    const { evidence } = checkAnswer('The keeper had two cats [2].', 'How many cats?', passages);
    expect(evidence.quote).toEqual({
      passage: 2,
      text: 'The keeper of the lighthouse had two cats.',
      start: 50,
      end: 92,
      page: null,
    });
    expect(checkAnswer('46 metres [1].', 'How high is it?', passages).evidence.quote).toMatchObject({
      passage: 1,
      page: 12,
      start: 1000,
    });
  });

  test('of a table the row is quoted', () => {
    const table = {
      documentTitle: 'People',
      heading: null,
      page: null,
      start: 0,
      text: 'Name: Ada; Age: 36\nName: Bo; Age: 41\nName: Cy; Age: 7',
    };
    const { evidence } = checkAnswer('Bo is 41 years old [1].', 'How old is Bo?', [table]);
    expect(evidence).toMatchObject({ verdict: 'supported', quote: { text: 'Name: Bo; Age: 41', start: 19 } });
    expect(checkAnswer('Bo is 36 years old [1].', 'How old is Bo?', [table]).evidence.verdict).toBe('unsupported');
  });

  test('scripts without spaces', () => {
    const tower: EvidencePassage = {
      documentTitle: '塔',
      heading: null,
      page: 3,
      start: 0,
      text: '東京タワーは1958年に完成した。高さは333メートルです。',
    };
    expect(checkAnswer('高さは333メートルです [1]。', '東京タワーの高さは？', [tower]).evidence).toMatchObject({
      verdict: 'supported',
      quote: { page: 3 },
    });
    expect(checkAnswer('高さは634メートルです [1]。', '東京タワーの高さは？', [tower]).evidence.verdict).toBe('unsupported');
  });

  test('the words that mean absent, however they are written', () => {
    for (const answer of [
      ABSENT_ANSWER,
      ` ${ABSENT_ANSWER.toLowerCase()}\n`,
      'That is **not** in your documents',
      `${ABSENT_ANSWER} [2]`,
    ])
      expect(isAbsent(answer), answer).toBe(true);
    expect(isAbsent('It is in your documents.')).toBe(false);
  });

  test('whatever a model writes, it ends: nothing, signs, a very long line', () => {
    for (const answer of ['', '...', '[1][2][3]', '!?!? [1]', 'x'.repeat(100_000), '[1] '.repeat(20_000)])
      expect(['supported', 'unsupported']).toContain(checkAnswer(answer, 'Why?', passages).evidence.verdict);
  });
});
