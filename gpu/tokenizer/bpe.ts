/**
 * Byte-level BPE (`tokenizer.ggml.model` = gpt2): text → words (pre-tokenizers.ts) → bytes as symbols → merges by rank, leftmost
 * first. Symbols are a linked list of token ids; a merge whose parts or result are not tokens that text may become does not exist.
 */
import { BYTE_CHARACTERS, alphabetTextOfBytes, bytesOfAlphabetText } from './byte-level.ts';
import { MergeQueue, type WorkCounter } from './merge-queue.ts';
import { MergeTable } from './merge-table.ts';
import { MAX_MERGES, readStringArray, readText, tokenizerError, type GgufMetadata } from './metadata.ts';
import type { TextModel } from './model.ts';
import { preTokenizer, splitWords, type PreTokenizer } from './pre-tokenizers.ts';
import { TokenType, type Vocabulary } from './vocabulary.ts';

export class BpeModel implements TextModel {
  readonly defaultAddBos: boolean;
  readonly defaultIds = { bos: null, eos: null };
  readonly prefixSpace = false;
  private readonly vocabulary: Vocabulary;
  private readonly pre: PreTokenizer;
  private readonly merges: MergeTable;
  /** Token of each byte; -1 where the vocabulary has none: such a byte is left out, as in llama.cpp. */
  private readonly idOfByte: Int32Array;
  private readonly utf8 = new TextEncoder();

  constructor(metadata: GgufMetadata, vocabulary: Vocabulary) {
    this.vocabulary = vocabulary;
    this.pre = preTokenizer(readText(metadata, 'tokenizer.ggml.pre') ?? 'default');
    this.defaultAddBos = this.pre.addBos;
    this.merges = readMerges(metadata, vocabulary);
    this.idOfByte = Int32Array.from(BYTE_CHARACTERS, (character) => vocabulary.idOfText.get(character) ?? -1);
  }

  encodeText(text: string, ids: number[], _afterSpecial: boolean, counter?: WorkCounter): void {
    for (const word of splitWords(text, this.pre.patterns)) {
      const bytes = this.utf8.encode(word);
      const whole = this.pre.ignoreMerges ? this.vocabulary.idOfText.get(alphabetTextOfBytes(bytes)) : undefined;
      if (whole !== undefined) ids.push(whole);
      else this.encodeWord(bytes, ids, counter);
    }
  }

  tokenBytes(id: number): Uint8Array {
    const { texts, types } = this.vocabulary;
    const raw = this.vocabulary.rawBytes(id);
    if (types[id] !== TokenType.normal) return raw;
    return bytesOfAlphabetText(texts[id] ?? '') ?? raw;
  }

  private encodeWord(bytes: Uint8Array, ids: number[], counter?: WorkCounter): void {
    const n = bytes.length;
    // Symbols by position; a merged-away one is -2. `next` and `previous` link the ones that are left.
    const symbols = new Int32Array(n);
    for (let i = 0; i < n; i++) symbols[i] = this.idOfByte[bytes[i]];
    if (n > 1) this.mergeSymbols(symbols, counter);
    for (const symbol of symbols) if (symbol >= 0) ids.push(symbol);
  }

  private mergeSymbols(symbols: Int32Array, counter?: WorkCounter): void {
    const { merges } = this;
    const n = symbols.length;
    const next = Int32Array.from({ length: n }, (_, i) => i + 1);
    const previous = Int32Array.from({ length: n }, (_, i) => i - 1);
    const queue = new MergeQueue(counter);
    const offer = (left: number, right: number) => {
      const at = merges.find(symbols[left], symbols[right]);
      if (at >= 0) queue.push(merges.rankAt(at), left);
    };
    for (let i = 0; i + 1 < n; i++) offer(i, i + 1);
    while (queue.pop()) {
      const left = queue.left;
      const right = next[left];
      if (symbols[left] < 0 || right >= n) continue;
      const at = merges.find(symbols[left], symbols[right]);
      if (at < 0 || merges.rankAt(at) !== queue.rank) continue; // one of the two has merged since
      symbols[left] = merges.mergedAt(at);
      symbols[right] = -2;
      next[left] = next[right];
      if (next[left] < n) {
        previous[next[left]] = left;
        offer(left, next[left]);
      }
      if (previous[left] >= 0) offer(previous[left], left);
    }
  }
}

function readMerges(metadata: GgufMetadata, vocabulary: Vocabulary): MergeTable {
  const key = 'tokenizer.ggml.merges';
  if (!metadata.has(key)) throw tokenizerError(key, 'missing', 'the merges of the vocabulary, one "left right" each');
  const merges = readStringArray(metadata, key, MAX_MERGES).strings();
  const table = new MergeTable(merges.length);
  for (let rank = 0; rank < merges.length; rank++) {
    const merge = merges[rank];
    const space = merge.indexOf(' ', 1);
    if (space < 0 || space === merge.length - 1) {
      throw tokenizerError(`${key}[${rank}]`, JSON.stringify(merge.slice(0, 60)), 'two parts with a space between them');
    }
    const left = vocabulary.idOfText.get(merge.slice(0, space));
    const right = vocabulary.idOfText.get(merge.slice(space + 1));
    const merged = vocabulary.idOfText.get(merge.slice(0, space) + merge.slice(space + 1));
    if (left !== undefined && right !== undefined && merged !== undefined) table.add(left, right, rank, merged);
  }
  return table;
}
