/** What a tokenizer's text model (BPE or SPM) offers to tokenizer.ts, which does special tokens, BOS and decoding for both. */
import type { WorkCounter } from './merge-queue.ts';

export interface TextModel {
  /** Whether BOS is added where the file does not say. */
  readonly defaultAddBos: boolean;
  /** Ids where the file does not say. */
  readonly defaultIds: { readonly bos: number | null; readonly eos: number | null };
  /** Whether text after a special token (or at the start) gets a space in front, which decoding takes away again. */
  readonly prefixSpace: boolean;
  /** Appends the ids of a stretch of text that holds no special token. `afterSpecial`: at the start or after a special token. */
  encodeText(text: string, ids: number[], afterSpecial: boolean, counter?: WorkCounter): void;
  /** The bytes a token stands for in text, whatever its type. */
  tokenBytes(id: number): Uint8Array;
}
