/** Metadata made by hand, for tests: plain arrays become GgufArrays; numbers are INT32, scores FLOAT32. */
import { numberArray, stringArray } from '../gguf/array.ts';
import type { GgufValue } from '../gguf/types.ts';
import type { GgufMetadata } from './metadata.ts';

export type FixtureValue = number | boolean | string | readonly (string | Uint8Array)[] | readonly number[];

export function metadataOf(entries: Readonly<Record<string, FixtureValue>>): GgufMetadata {
  return new Map(Object.entries(entries).map(([key, value]): [string, GgufValue] => [key, toGgufValue(key, value)]));
}

function toGgufValue(key: string, value: FixtureValue): GgufValue {
  if (typeof value !== 'object') return value;
  if (typeof value[0] === 'number') return numberArray(key.endsWith('scores') ? 'FLOAT32' : 'INT32', value as readonly number[]);
  return stringArray(value as readonly (string | Uint8Array)[]);
}
