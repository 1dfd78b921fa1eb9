/** The form of the golden files, and how a vocabulary in one becomes the metadata of a GGUF. */
import { metadataOf } from '../../../gpu/tokenizer/metadata-fixture.ts';
import type { GgufMetadata } from '../../../gpu/tokenizer/metadata.ts';
import { TokenType } from '../../../gpu/tokenizer/vocabulary.ts';
import type { SmallVocabulary } from './train.ts';

export const GOLDEN_MAGIC = 'conclave-tokenizer-golden';
export const GOLDEN_VERSION = 1;

export interface GoldenRun {
  /** Metadata keys without `tokenizer.ggml.`. */
  readonly settings: Readonly<Record<string, string | boolean | number>>;
  /** Of each corpus text, special tokens not parsed. */
  readonly plain: readonly (readonly number[])[];
  /** Place in the corpus → ids with special tokens parsed, where they differ. */
  readonly special: Readonly<Record<string, readonly number[]>>;
}

export interface Golden {
  readonly magic: string;
  readonly version: number;
  /** What made the ids. */
  readonly source: string;
  /** Hash of the corpus the ids belong to. */
  readonly corpusHash: string;
  readonly vocabulary: SmallVocabulary | SparseVocabulary;
  readonly runs: readonly GoldenRun[];
}

/** Part of a large vocabulary: the tokens and merges that the corpus can touch. */
export interface SparseVocabulary {
  readonly size: number;
  /** id → [text, type]. */
  readonly sparse: Readonly<Record<string, readonly [string, number]>>;
  readonly merges: readonly string[];
}

export function metadataOfGolden(vocabulary: Golden['vocabulary'], settings: GoldenRun['settings']): GgufMetadata {
  const { tokens, types, merges, scores } = 'sparse' in vocabulary ? expand(vocabulary) : vocabulary;
  const entries: Record<string, string | boolean | number | readonly string[] | readonly number[]> = {
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': types,
  };
  if (merges) entries['tokenizer.ggml.merges'] = merges;
  if (scores) entries['tokenizer.ggml.scores'] = scores;
  for (const [key, value] of Object.entries(settings)) entries[`tokenizer.ggml.${key}`] = value;
  return metadataOf(entries);
}

/** Ids that the excerpt leaves out become unused tokens with texts of their own. */
function expand({ size, sparse, merges }: SparseVocabulary): SmallVocabulary {
  const ids = Array.from({ length: size }, (_, id) => String(id));
  return {
    tokens: ids.map((id) => sparse[id]?.[0] ?? `\u{f0000}${id}`),
    types: ids.map((id) => sparse[id]?.[1] ?? TokenType.unused),
    merges,
  };
}
