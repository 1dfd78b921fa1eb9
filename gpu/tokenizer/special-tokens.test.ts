import { expect, test } from 'vitest';
import { metadataOf } from './metadata-fixture.ts';
import { SpecialTokens, type SpecialMatch } from './special-tokens.ts';
import { TokenType, readVocabulary } from './vocabulary.ts';

const SEED = 7;

/** The rule in its plainest form: each token, longest first, takes its occurrences from the left in what is free. */
function plainFind(text: string, tokens: readonly string[]): SpecialMatch[] {
  const bytes = (token: string) => new TextEncoder().encode(token).length;
  const ids = tokens.map((_, id) => id).sort((a, b) => bytes(tokens[b]) - bytes(tokens[a]) || a - b);
  const matches: SpecialMatch[] = [];
  for (const id of ids) {
    for (let start = text.indexOf(tokens[id]); start >= 0; start = text.indexOf(tokens[id], start + 1)) {
      const end = start + tokens[id].length;
      if (matches.every((match) => match.end <= start || match.start >= end)) matches.push({ start, end, id });
    }
  }
  return matches.sort((a, b) => a.start - b.start);
}

test(`overlapping tokens are taken as the plain rule takes them (seed ${SEED})`, () => {
  let state = SEED;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 16) % below; // the low bits of this generator repeat soon
  };
  const word = (most: number) => Array.from({ length: 1 + random(most) }, () => 'ab中é😀'.match(/./gu)![random(5)]).join('');
  let found = 0;
  for (let round = 0; round < 300; round++) {
    const tokens = [...new Set(Array.from({ length: 6 }, () => word(4)))];
    const types = tokens.map(() => TokenType.userDefined);
    const specials = new SpecialTokens(
      readVocabulary(metadataOf({ 'tokenizer.ggml.tokens': tokens, 'tokenizer.ggml.token_type': types })),
    );
    const text = word(40);
    const matches = specials.find(text, () => true);
    expect(matches).toEqual(plainFind(text, tokens));
    found += matches.length;
  }
  expect(found).toBeGreaterThan(1000);
});
