/** What the chat needs of a loaded model: its words and its prompt format. Made by the library from the model's file. */
import type { ChatMessage, IncrementalDecoder } from '../../gpu/tokenizer/types.ts';
import type { WireError } from '../contract/errors.ts';
import type { NamedSampling } from '../contract/sampling.ts';
import type { MessageStatus } from '../contract/types.ts';
import type { ChatDependencies } from './chat.ts';

/** What a model goes on from. */
export interface EncodedPrompt {
  readonly ids: Int32Array;
  /** The beginning of the answer that stands in it already: `<think>` and a line end for some models that think, else ''. */
  readonly opening: string;
}

export interface ChatModel {
  readonly modelId: string;
  readonly name: string;
  readonly endIds: ReadonlySet<number>;
  /** What its file says of choosing words. */
  readonly sampling: NamedSampling;
  /** Template and tokenizer in one: what people wrote never becomes a special token. */
  encodePrompt(messages: readonly ChatMessage[]): EncodedPrompt;
  decoder(): IncrementalDecoder;
}

/** A model that can answer now. */
export interface ReadyModel {
  readonly model: ChatModel;
  readonly contextTokens: number;
}

/** One answer on its way. */
export interface Run {
  readonly answerId: string;
  /** Settles, never rejects, when whoever computes is free again. */
  readonly done: Promise<void>;
  /** Commits the text so far; what still comes is ignored. */
  end(status: MessageStatus, error: WireError | null): void;
}

/** A model on a server, which answers in the engine's stead. */
export interface RemoteAnswerer {
  readonly name: string;
  readonly host: string;
  begin(chat: ChatDependencies, answer: { readonly id: string; readonly conversationId: string }): Run;
}

export type Answerer = ReadyModel | RemoteAnswerer;

export function writerOf(answerer: Answerer | null): { readonly modelName: string | null; readonly remoteHost: string | null } {
  if (answerer === null) return { modelName: null, remoteHost: null };
  if ('begin' in answerer) return { modelName: answerer.name, remoteHost: answerer.host };
  return { modelName: answerer.model.name, remoteHost: null };
}
