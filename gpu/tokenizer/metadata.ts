/**
 * Reads the `tokenizer.ggml.*` keys of a GGUF's metadata. Every refusal is `model.tokenizer` and names the key, what was found
 * and what is allowed. Sizes are limited before anything is built from them.
 */
import { engineError, type ConclaveError } from '../errors.ts';
import type { GgufArray, GgufFile, GgufValue } from '../gguf/types.ts';

export type GgufMetadata = GgufFile['metadata'];

/** Four times the largest vocabulary in use (gemma, 262,144); also keeps `id · V + id` far below 2^53. */
export const MAX_TOKENS = 1 << 20;
/** Merges per vocabulary: published files have fewer than two per token. */
export const MAX_MERGES = 1 << 21;

export function tokenizerError(key: string, found: string, allowed: string, next = ''): ConclaveError {
  const message = `The tokenizer of this model cannot be used: \`${key}\` is ${found}; allowed: ${allowed}.${next && ` ${next}`}`;
  return engineError('model.tokenizer', message, { key, found, allowed });
}

export function isGgufArray(value: GgufValue | undefined): value is GgufArray {
  return typeof value === 'object' && value !== null;
}

function describe(value: GgufValue | undefined): string {
  if (value === undefined) return 'missing';
  if (isGgufArray(value)) return `an array of ${value.length} × ${value.elementType}`;
  return `${typeof value} ${JSON.stringify(String(value).slice(0, 60))}`;
}

export function readText(metadata: GgufMetadata, key: string): string | undefined {
  const value = metadata.get(key);
  if (value === undefined || typeof value === 'string') return value;
  throw tokenizerError(key, describe(value), 'a string');
}

export function readFlag(metadata: GgufMetadata, key: string): boolean | undefined {
  const value = metadata.get(key);
  if (value === undefined || typeof value === 'boolean') return value;
  throw tokenizerError(key, describe(value), 'true or false');
}

/** null when the key is missing or names no token: files exist that carry an id of a larger vocabulary, and they work without it. */
export function readTokenId(metadata: GgufMetadata, key: string, vocabularySize: number): number | null {
  const value = metadata.get(key);
  if (value === undefined || typeof value === 'bigint') return null;
  if (typeof value !== 'number') throw tokenizerError(key, describe(value), 'a token id');
  return Number.isInteger(value) && value >= 0 && value < vocabularySize ? value : null;
}

/** An array of strings of 1 to `most` entries. */
export function readStringArray(metadata: GgufMetadata, key: string, most: number): GgufArray {
  const value = metadata.get(key);
  if (!isGgufArray(value) || value.elementType !== 'STRING' || value.length < 1 || value.length > most) {
    throw tokenizerError(key, describe(value), `an array of 1 to ${most} strings`);
  }
  return value;
}

/** Numbers, at least one per token; null when the key is missing. */
export function readNumberArray(metadata: GgufMetadata, key: string, least: number): ArrayLike<number> | null {
  const value = metadata.get(key);
  if (value === undefined) return null;
  if (!isGgufArray(value) || !/^(U?INT(8|16|32)|FLOAT(32|64))$/.test(value.elementType) || value.length < least) {
    throw tokenizerError(key, describe(value), `an array of at least ${least} numbers`);
  }
  return value.numbers() as ArrayLike<number>;
}
