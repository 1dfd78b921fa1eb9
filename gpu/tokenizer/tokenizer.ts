/**
 * A model's tokenizer, made from its GGUF metadata: special tokens are cut out first, the text between them goes through the
 * vocabulary's text model (BPE or SPM), BOS and EOS are added as the file says. Ids agree with llama.cpp's except where a
 * person's text would turn into a control token there.
 */
import { BpeModel } from './bpe.ts';
import { StreamDecoder } from './incremental-decoder.ts';
import type { WorkCounter } from './merge-queue.ts';
import { readFlag, readText, readTokenId, tokenizerError, type GgufMetadata } from './metadata.ts';
import type { TextModel } from './model.ts';
import { SpecialTokens, type SpecialFilter } from './special-tokens.ts';
import { SpmModel } from './spm.ts';
import { trustedFilter } from './trusted-text.ts';
import type { EncodeOptions, IncrementalDecoder, PromptPiece, Tokenizer } from './types.ts';
import { TokenType, readVocabulary, type Vocabulary } from './vocabulary.ts';

/** Throws `model.tokenizer` when the file's tokenizer is damaged or of a kind that is not supported. */
export function createTokenizer(metadata: GgufMetadata): Tokenizer {
  return new GgufTokenizer(metadata);
}

const NO_BYTES = new Uint8Array(0);

export class GgufTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly bosId: number | null;
  readonly eosId: number | null;
  readonly endIds: ReadonlySet<number>;
  private readonly vocabulary: Vocabulary;
  private readonly model: TextModel;
  private readonly specials: SpecialTokens;
  private readonly addBos: boolean;
  private readonly addEos: boolean;

  constructor(metadata: GgufMetadata) {
    this.vocabulary = readVocabulary(metadata);
    const { size } = this.vocabulary;
    this.model = createModel(metadata, this.vocabulary);
    this.specials = new SpecialTokens(this.vocabulary);
    this.vocabularySize = size;
    const withDefault = (key: string, fallback: number | null) =>
      readTokenId(metadata, key, size) ?? (fallback !== null && fallback < size ? fallback : null);
    this.bosId = withDefault('tokenizer.ggml.bos_token_id', this.model.defaultIds.bos);
    this.eosId = withDefault('tokenizer.ggml.eos_token_id', this.model.defaultIds.eos);
    this.endIds = this.eosId === null ? this.vocabulary.endIds : new Set([...this.vocabulary.endIds, this.eosId]);
    this.addBos = readFlag(metadata, 'tokenizer.ggml.add_bos_token') ?? this.model.defaultAddBos;
    this.addEos = readFlag(metadata, 'tokenizer.ggml.add_eos_token') ?? false;
  }

  encode(text: string, { parseSpecial, addSpecial }: EncodeOptions): Int32Array {
    const { types } = this.vocabulary;
    const ids: number[] = [];
    if (addSpecial && this.addBos && this.bosId !== null) ids.push(this.bosId);
    this.encodeInto(text, ids, (id) => parseSpecial || types[id] === TokenType.userDefined);
    if (addSpecial && this.addEos && this.eosId !== null) ids.push(this.eosId);
    return Int32Array.from(ids);
  }

  encodePieces(pieces: readonly PromptPiece[]): Int32Array {
    const text = pieces.map((piece) => piece.text).join('');
    const ids: number[] = [];
    this.encodeInto(text, ids, trustedFilter(pieces, this.vocabulary));
    if (this.addBos && this.bosId !== null && ids[0] !== this.bosId) ids.unshift(this.bosId);
    return Int32Array.from(ids);
  }

  tokenBytes(id: number, special = false): Uint8Array {
    // A model's matrix may have more rows than its vocabulary has tokens; such ids stand for nothing.
    if (!Number.isInteger(id) || id < 0 || id >= this.vocabularySize) return NO_BYTES;
    const type = this.vocabulary.types[id];
    if (type === TokenType.unused || type === TokenType.undefined) return NO_BYTES;
    if (!special && (type === TokenType.control || type === TokenType.unknown)) return NO_BYTES;
    return this.model.tokenBytes(id);
  }

  decode(ids: ArrayLike<number>, special = false): string {
    const decoder = this.streamDecoder(special);
    let text = '';
    for (let i = 0; i < ids.length; i++) text += decoder.push(ids[i]);
    return text + decoder.flush();
  }

  decoder(): IncrementalDecoder {
    return this.streamDecoder(false);
  }

  /** As `encode` without specials or BOS, counting the merge queue's operations: for tests of complexity. */
  countWork(text: string): number {
    const counter: WorkCounter = { operations: 0 };
    this.encodeInto(text, [], () => false, counter);
    return counter.operations;
  }

  private streamDecoder(special: boolean): StreamDecoder {
    return new StreamDecoder((id) => this.tokenBytes(id, special), this.model.prefixSpace);
  }

  private encodeInto(text: string, ids: number[], filter: SpecialFilter, counter?: WorkCounter): void {
    const wellFormed = text.replace(/\p{Cs}/gu, '\uFFFD'); // half a surrogate pair is no character
    let end = 0;
    let afterSpecial = true;
    for (const match of this.specials.find(wellFormed, filter)) {
      if (match.start > end) this.model.encodeText(wellFormed.slice(end, match.start), ids, afterSpecial, counter);
      ids.push(match.id);
      end = match.end;
      afterSpecial = true;
    }
    if (end < wellFormed.length) this.model.encodeText(wellFormed.slice(end), ids, afterSpecial, counter);
  }
}

function createModel(metadata: GgufMetadata, vocabulary: Vocabulary): TextModel {
  const key = 'tokenizer.ggml.model';
  const name = readText(metadata, key);
  if (name === 'gpt2') return new BpeModel(metadata, vocabulary);
  if (name === 'llama') return new SpmModel(metadata, vocabulary);
  const found = name === undefined ? 'missing' : JSON.stringify(name.slice(0, 60));
  throw tokenizerError(key, found, 'gpt2 (BPE), llama (SentencePiece)', 'Models with other tokenizers cannot be run yet.');
}
