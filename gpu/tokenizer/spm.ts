/**
 * SentencePiece BPE as llama.cpp runs it (`tokenizer.ggml.model` = llama): spaces become ▁, characters are symbols, the neighbours
 * whose joined text is the token of highest score merge first (leftmost of equals); what is no token at the end becomes byte tokens.
 */
import { MergeQueue, type WorkCounter } from './merge-queue.ts';
import { readFlag, readTokenId, type GgufMetadata } from './metadata.ts';
import type { TextModel } from './model.ts';
import { TokenType, type Vocabulary } from './vocabulary.ts';

const ESCAPED_SPACE = '▁';

export class SpmModel implements TextModel {
  readonly defaultAddBos = true;
  readonly defaultIds = { bos: 1, eos: 2 };
  readonly prefixSpace: boolean;
  private readonly vocabulary: Vocabulary;
  private readonly removeExtraSpaces: boolean;
  private readonly unknownId: number;
  /** Token of each byte; -1 where the vocabulary has none. */
  private readonly idOfByte: Int32Array;
  /** Place of each token's score among the distinct scores, highest first: the rank of a merge into it. */
  private readonly rankOfId: Int32Array;
  private readonly utf8 = new TextEncoder();

  constructor(metadata: GgufMetadata, vocabulary: Vocabulary) {
    this.vocabulary = vocabulary;
    this.prefixSpace = readFlag(metadata, 'tokenizer.ggml.add_space_prefix') ?? true;
    this.removeExtraSpaces = readFlag(metadata, 'tokenizer.ggml.remove_extra_whitespaces') ?? false;
    this.unknownId = readTokenId(metadata, 'tokenizer.ggml.unknown_token_id', vocabulary.size) ?? 0;
    this.idOfByte = Int32Array.from({ length: 256 }, (_, byte) => vocabulary.idOfAnyText.get(byteTokenText(byte)) ?? -1);
    this.rankOfId = rankScores(vocabulary.scores);
  }

  encodeText(text: string, ids: number[], afterSpecial: boolean, counter?: WorkCounter): void {
    const plain = this.removeExtraSpaces ? text.replace(/ {2,}/g, ' ').replace(/^ | $/g, '') : text;
    const escaped = (this.prefixSpace && afterSpecial ? ' ' + plain : plain).replaceAll(' ', ESCAPED_SPACE);
    const starts = characterStarts(escaped);
    const next = this.mergeCharacters(escaped, starts, counter);
    for (let i = 0; i < starts.length - 1; i = next[i]) this.pushSymbol(escaped.slice(starts[i], starts[next[i]]), ids);
  }

  tokenBytes(id: number): Uint8Array {
    const { texts, types } = this.vocabulary;
    const text = texts[id];
    if (types[id] === TokenType.byte && text !== null) {
      const match = /^<0x([0-9A-Fa-f]{2})>$/.exec(text);
      if (match) return Uint8Array.of(parseInt(match[1], 16));
    }
    if (types[id] !== TokenType.normal || text === null) return this.vocabulary.rawBytes(id);
    return this.utf8.encode(text.replaceAll(ESCAPED_SPACE, ' '));
  }

  private pushSymbol(text: string, ids: number[]): void {
    const id = this.vocabulary.idOfText.get(text);
    if (id !== undefined) {
      ids.push(id);
      return;
    }
    for (const byte of this.utf8.encode(text)) {
      ids.push(this.idOfByte[byte] >= 0 ? this.idOfByte[byte] : this.unknownId);
    }
  }

  /** For each character that begins a symbol, the character that begins the next one. `starts` ends with the text's length. */
  private mergeCharacters(text: string, starts: Int32Array, counter?: WorkCounter): Int32Array {
    const n = starts.length - 1;
    const next = Int32Array.from({ length: n }, (_, i) => i + 1);
    const previous = Int32Array.from({ length: n }, (_, i) => i - 1);
    const alive = new Uint8Array(n).fill(1);
    const queue = new MergeQueue(counter);
    const rankOf = (left: number, end: number): number => {
      const id = this.vocabulary.idOfText.get(text.slice(starts[left], starts[end]));
      return id === undefined ? -1 : this.rankOfId[id];
    };
    const offer = (left: number) => {
      if (left < 0 || next[left] >= n) return;
      const rank = rankOf(left, next[next[left]]);
      if (rank >= 0) queue.push(rank, left);
    };
    for (let i = 0; i < n; i++) offer(i);
    while (queue.pop()) {
      const left = queue.left;
      const right = next[left];
      if (alive[left] === 0 || right >= n || rankOf(left, next[right]) !== queue.rank) continue; // merged since
      alive[right] = 0;
      next[left] = next[right];
      if (next[left] < n) previous[next[left]] = left;
      offer(previous[left]);
      offer(left);
    }
    return next;
  }
}

function byteTokenText(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** Offsets of the characters in UTF-16 units, and the length at the end. */
function characterStarts(text: string): Int32Array {
  const starts: number[] = [];
  for (let at = 0; at < text.length;) {
    starts.push(at);
    at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  }
  starts.push(text.length);
  return Int32Array.from(starts);
}

function rankScores(scores: Float32Array): Int32Array {
  const distinct = Float32Array.from(new Set(scores)).sort().reverse();
  const rankOfScore = new Map(Array.from(distinct, (score, rank) => [score, rank]));
  return Int32Array.from(scores, (score) => rankOfScore.get(score)!);
}
