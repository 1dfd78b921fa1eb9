/** Text to ids and back. Pure; built from a GGUF's metadata. */
export interface EncodeOptions {
  /** Whether special tokens written in the text (such as `<|im_start|>`) become their ids. Never for what a user typed. */
  readonly parseSpecial: boolean;
  /** Add the model's BOS (and EOS) as the file says. */
  readonly addSpecial: boolean;
}

/** A piece of a prompt: template text may hold special tokens, text from a person or a document never may. */
export interface PromptPiece {
  readonly text: string;
  readonly trusted: boolean;
}

export interface Tokenizer {
  readonly vocabularySize: number;
  readonly bosId: number | null;
  readonly eosId: number | null;
  /** Ids that end an answer: EOS, EOT and their kind. */
  readonly endIds: ReadonlySet<number>;
  encode(text: string, options: EncodeOptions): Int32Array;
  /**
   * A prompt. Special tokens are read only where they lie wholly in trusted text; words may span pieces, so a prompt without
   * special-looking content gives the same ids as its plain text. BOS is added if the file says so and the prompt has none; never EOS.
   */
  encodePieces(pieces: readonly PromptPiece[]): Int32Array;
  /** The bytes of a token as it appears in text; control tokens give none unless `special`. */
  tokenBytes(id: number, special?: boolean): Uint8Array;
  decode(ids: ArrayLike<number>, special?: boolean): string;
  /** Incremental decoding: never emits half a character. */
  decoder(): IncrementalDecoder;
}

export interface IncrementalDecoder {
  /** Text that became complete with this token; possibly ''. */
  push(id: number): string;
  /** What is left at the end: incomplete bytes become U+FFFD. */
  flush(): string;
}

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatTemplate {
  /** `file`: the model's own; `fallback`: ours, because the file has none or its probe failed (`reason`). */
  readonly source: 'file' | 'fallback';
  readonly reason?: string;
  /** Rendered prompt, ending where the assistant's answer begins. */
  render(messages: readonly ChatMessage[]): string;
  /** The same text, the messages' contents marked as not trusted. What a model is given goes through this and `encodePieces`. */
  renderPieces(messages: readonly ChatMessage[]): readonly PromptPiece[];
}
