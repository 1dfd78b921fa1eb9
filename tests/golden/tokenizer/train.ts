/**
 * Small vocabularies for goldens, trained on the corpus by plain counting and without words: merges run over spaces, digits and line
 * ends, so a pre-tokenizer that splits at a wrong place gives other ids.
 */
import { BYTE_CHARACTERS, alphabetTextOfBytes } from '../../../gpu/tokenizer/byte-level.ts';
import { TokenType } from '../../../gpu/tokenizer/vocabulary.ts';

export interface SmallVocabulary {
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  /** BPE only. */
  readonly merges?: readonly string[];
  /** SPM only. */
  readonly scores?: readonly number[];
}

const CONTROL = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<s>', '</s>', '<unk>'];
export const USER_DEFINED = ['<tag>', '<tagged>', '<think>', '</think>', '\n\n\n', '     '];

/** Without the special texts: merges must not arrive at one by themselves (ours would refuse it, llama.cpp would not). */
function withoutSpecials(text: string): string {
  return [...CONTROL, ...USER_DEFINED].reduce((rest, special) => rest.replaceAll(special, '\0'), text);
}

/** Pairs of neighbours, the most frequent first; ties by text. A pair must occur twice. */
function trainPairs(sequences: string[][], count: number): [string, string][] {
  const pairs: [string, string][] = [];
  while (pairs.length < count) {
    const counts = new Map<string, number>();
    for (const symbols of sequences) {
      for (let i = 0; i + 1 < symbols.length; i++) {
        const key = `${symbols[i]}\0${symbols[i + 1]}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
    let best = '';
    for (const [key, n] of counts) {
      const lead = n - (counts.get(best) ?? 1);
      if (lead > 0 || (lead === 0 && best !== '' && key < best)) best = key;
    }
    if (best === '') break;
    const [left, right] = best.split('\0');
    pairs.push([left, right]);
    sequences = sequences.map((symbols) => mergePair(symbols, left, right));
  }
  return pairs;
}

function mergePair(symbols: readonly string[], left: string, right: string): string[] {
  const merged: string[] = [];
  for (let i = 0; i < symbols.length; i++) {
    const joins = symbols[i] === left && i + 1 < symbols.length && symbols[i + 1] === right;
    merged.push(joins ? left + symbols[++i] : symbols[i]);
  }
  return merged;
}

/** Byte-level BPE. Two tokens no merge reaches show `ignore_merges`: a word that is a token. */
export function trainBpe(corpus: readonly string[], nMerges: number): SmallVocabulary {
  const utf8 = new TextEncoder();
  const pairs = trainPairs(
    corpus.map((text) => [...alphabetTextOfBytes(utf8.encode(withoutSpecials(text)))]),
    nMerges,
  );
  const normal = new Set([...BYTE_CHARACTERS, ...pairs.map((pair) => pair.join('')), 'ĠHello', 'Paris', 'ĠParis']);
  return {
    tokens: [...CONTROL, ...normal, ...USER_DEFINED],
    types: typesOf(normal.size),
    merges: pairs.map((pair) => pair.join(' ')),
  };
}

/** SentencePiece: a token's score falls with its place; characters seen once are left to byte tokens. */
export function trainSpm(corpus: readonly string[], nMerges: number): SmallVocabulary {
  const sequences = corpus.map((text) => [...withoutSpecials(text).replaceAll(' ', '▁')]);
  const counts = new Map<string, number>();
  for (const character of sequences.flat()) counts.set(character, (counts.get(character) ?? 0) + 1);
  const characters = [...counts].filter(([character, n]) => n > 1 && character !== '\0').map(([character]) => character);
  const known = new Set(characters);
  const pairs = trainPairs(sequences, nMerges).map((pair) => pair.join(''));
  const reachable = pairs.filter((text) => [...text].every((character) => known.has(character)));
  const normal = new Set([...reachable, ...characters]);
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...normal, '<|im_start|>', '<|im_end|>', ...USER_DEFINED];
  const { control, userDefined, byte, normal: plain, unknown } = TokenType;
  return {
    tokens,
    types: [
      ...[unknown, control, control],
      ...bytes.map(() => byte),
      ...Array.from(normal, () => plain),
      ...[control, control],
      ...USER_DEFINED.map(() => userDefined),
    ],
    // Pairs of scores are equal, so that ties are met.
    scores: tokens.map((_, id) => (id < 259 || id >= 259 + normal.size ? 0 : -1 - Math.floor((id - 259) / 2))),
  };
}

function typesOf(nNormal: number): number[] {
  return [
    ...CONTROL.map(() => TokenType.control),
    ...Array.from({ length: nNormal }, () => TokenType.normal),
    ...USER_DEFINED.map(() => TokenType.userDefined),
  ];
}
