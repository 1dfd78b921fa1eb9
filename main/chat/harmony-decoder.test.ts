/** Harmony's channels become thoughts and answer, token by token. */
import { describe, expect, test } from 'vitest';
import { BYTE_CHARACTERS } from '../../gpu/tokenizer/byte-level.ts';
import { metadataOf } from '../../gpu/tokenizer/metadata-fixture.ts';
import { createTokenizer } from '../../gpu/tokenizer/tokenizer.ts';
import { TokenType } from '../../gpu/tokenizer/vocabulary.ts';
import { splitThoughts } from '../contract/thoughts.ts';
import { answerDecoder } from './harmony-decoder.ts';

const HARMONY = ['<|start|>', '<|end|>', '<|message|>', '<|channel|>', '<|return|>', '<|call|>'];

function tokenizerWith(markers: readonly string[], type = TokenType.control) {
  return createTokenizer(
    metadataOf({
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'gpt-4o',
      'tokenizer.ggml.tokens': [...markers, ...BYTE_CHARACTERS],
      'tokenizer.ggml.token_type': [...markers.map((): number => type), ...BYTE_CHARACTERS.map((): number => TokenType.normal)],
      'tokenizer.ggml.merges': ['a b'],
    }),
  );
}

/** `generated`: what a model gives, its special tokens spelled out; a byte per token between them. */
function decoded(generated: string, tokenizer = tokenizerWith(HARMONY)): string {
  const decoder = answerDecoder(tokenizer);
  const ids = tokenizer.encode(generated, { parseSpecial: true, addSpecial: false });
  return Array.from(ids, (id) => (tokenizer.endIds.has(id) ? '' : decoder.push(id))).join('') + decoder.flush();
}

const ANALYSIS = '<|channel|>analysis<|message|>';
const FINAL = '<|start|>assistant<|channel|>final<|message|>';

describe('channels', () => {
  test('analysis is thoughts, final the answer, in any script', () => {
    const text = decoded(`${ANALYSIS}Straße? Ja, ✓.<|end|>${FINAL}Größe: 3 µm.<|return|>`);
    expect(text).toBe('<think>\nStraße? Ja, ✓.\n</think>\n\nGröße: 3 µm.');
    expect(splitThoughts(text)).toEqual({ thoughts: 'Straße? Ja, ✓.', answer: 'Größe: 3 µm.', isThinking: false });
  });

  test('an answer at once has no thoughts, nor has one after empty thoughts', () => {
    expect(decoded('<|channel|>final<|message|>Yes.<|return|>')).toBe('Yes.');
    expect(decoded(`${ANALYSIS}<|end|>${FINAL}Yes.`)).toBe('Yes.');
    expect(decoded('<|message|>Yes.<|return|>')).toBe('Yes.');
  });

  test('several messages are apart; commentary, to whomever, is no answer', () => {
    const comment = '<|start|>assistant<|channel|>commentary to=functions.f <|message|>{"a": 1}<|call|>';
    expect(decoded(`${ANALYSIS}One.<|end|><|start|>assistant${ANALYSIS}Two.<|end|>${comment}`)).toBe(
      '<think>\nOne.\n\nTwo.\n\n{"a": 1}',
    );
    expect(decoded(`${ANALYSIS}One.<|end|>${FINAL}A.<|end|>${FINAL}B.<|end|><|start|>assistant${ANALYSIS}Late.`)).toBe(
      '<think>\nOne.\n</think>\n\nA.\n\nB.',
    );
  });

  test('cut off while thinking, and in a header', () => {
    expect(splitThoughts(decoded(`${ANALYSIS}Let me see`))).toEqual({ thoughts: 'Let me see', answer: '', isThinking: true });
    expect(decoded(`${ANALYSIS}So.<|end|><|start|>assist`)).toBe('<think>\nSo.');
    expect(decoded('<|channel|>ana')).toBe('');
  });

  test('half a character before a marker becomes the sign for it', () => {
    const tokenizer = tokenizerWith(HARMONY);
    const decoder = answerDecoder(tokenizer);
    const ids = (text: string) => [...tokenizer.encode(text, { parseSpecial: true, addSpecial: false })];
    const all = [...ids('<|channel|>final<|message|>a'), ids('é')[0], ...ids('<|end|>')];
    expect(all.map((id) => decoder.push(id)).join('')).toBe('a\uFFFD');
  });
});

describe('not Harmony', () => {
  test('markers that a model spells in plain text are words', () => {
    const tokenizer = tokenizerWith(HARMONY);
    const decoder = answerDecoder(tokenizer);
    const spelled = tokenizer.encode('<|channel|>final<|message|>', { parseSpecial: false, addSpecial: false });
    const start = tokenizer.encode('<|message|>', { parseSpecial: true, addSpecial: false });
    expect([...start, ...spelled].map((id) => decoder.push(id)).join('')).toBe('<|channel|>final<|message|>');
  });

  test('an answer without any marker comes out: a short one at its end, a long one on its way', () => {
    expect(decoded('Just words.<|return|>')).toBe('Just words.');
    const long = 'word '.repeat(100);
    const tokenizer = tokenizerWith(HARMONY);
    const decoder = answerDecoder(tokenizer);
    const ids = tokenizer.encode(long, { parseSpecial: false, addSpecial: false });
    expect(Array.from(ids, (id) => decoder.push(id)).join('')).toBe(long);
  });

  test('vocabularies without the markers, or with them as plain tokens, are decoded as they are', () => {
    expect(decoded('final <|channel|> words', tokenizerWith(['<|return|>']))).toBe('final <|channel|> words');
    const plain = tokenizerWith(HARMONY.slice(0, 4), TokenType.userDefined);
    expect(decoded('<|channel|>final<|message|>x', plain)).toBe('<|channel|>final<|message|>x');
  });
});
