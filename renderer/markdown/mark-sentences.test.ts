import { describe, expect, it } from 'vitest';
import { findSentence, sentencesWithin } from './mark-sentences.ts';

const found = (runs: readonly string[], sentence: string): string[] =>
  findSentence(runs, sentence).map(({ run, start, end }) => runs[run].slice(start, end));

describe('findSentence', () => {
  it('finds a sentence across formatting and without its citations', () => {
    const runs = ['First one. Interest is ', 'free of tax', ' in most countries ', '. Last one.'];
    expect(found(runs, 'Interest is **free of tax** in most countries [2][3].')).toEqual([
      'Interest is ',
      'free of tax',
      ' in most countries',
    ]);
  });

  it('takes the full stop and closing quotes along', () => {
    expect(found(['He said “it is so.” Then he left.'], 'He said “it is so.”')).toEqual(['He said “it is so.”']);
  });

  it('passes over list numbers, headings and addresses', () => {
    expect(found(['Sign the record.'], '1. Sign the record.')).toEqual(['Sign the record.']);
    expect(found(['See ', 'the page', ' first.'], '## See [the page](https://example.org/a) first.')).toEqual([
      'See ',
      'the page',
      ' first.',
    ]);
  });

  it('is not confused by letters that change their length or lie beyond the first plane', () => {
    expect(found(['İki 𝒜b ışık.'], 'İki 𝒜b ışık.')).toEqual(['İki 𝒜b ışık.']);
  });

  it('finds nothing rather than something else', () => {
    expect(found(['Another text.'], 'Not in it.')).toEqual([]);
    expect(found(['Another text.'], '[1]')).toEqual([]);
    expect(found(['Eyes are open. Yes.'], 'Yes.')).toEqual(['Yes.']);
  });
});

it('gives each block the sentences that stand in it', () => {
  const source = 'One. Two.\n\nThree.';
  const spans = [
    { start: 5, end: 9 },
    { start: 11, end: 17 },
  ];
  expect(sentencesWithin(source, spans, 0, 11)).toEqual(['Two.']);
  expect(sentencesWithin(source, spans, 11, 17)).toEqual(['Three.']);
});
