/** What the chat needs of a loaded model: its words and its prompt format. Made by the library from the model's file. */
import type { ChatMessage, IncrementalDecoder } from '../../gpu/tokenizer/types.ts';

export interface ChatModel {
  readonly modelId: string;
  readonly name: string;
  readonly endIds: ReadonlySet<number>;
  /** Template and tokenizer in one: what people wrote never becomes a special token. */
  encodePrompt(messages: readonly ChatMessage[]): Int32Array;
  decoder(): IncrementalDecoder;
}

/** A model that can answer now. */
export interface ReadyModel {
  readonly model: ChatModel;
  readonly contextTokens: number;
}
