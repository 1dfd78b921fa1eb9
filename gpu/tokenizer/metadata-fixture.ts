/** Metadata made by hand, for tests: plain arrays become GgufArrays. */
import type { GgufArray, GgufValue } from '../gguf/types.ts';
import type { GgufMetadata } from './metadata.ts';

type FixtureValue = number | boolean | string | readonly string[] | readonly number[] | readonly Uint8Array[];

/** Numbers in arrays are taken as floats where one has a fraction or the key is `scores`. */
export function metadataOf(entries: Readonly<Record<string, FixtureValue>>): GgufMetadata {
  return new Map(Object.entries(entries).map(([key, value]): [string, GgufValue] => [key, toGgufValue(key, value)]));
}

function toGgufValue(key: string, value: FixtureValue): GgufValue {
  if (typeof value !== 'object') return value;
  if (typeof value[0] === 'number') return numberArray(key, value as readonly number[]);
  const utf8 = new TextEncoder();
  return stringArray((value as readonly (string | Uint8Array)[]).map((s) => (typeof s === 'string' ? utf8.encode(s) : s)));
}

function stringArray(bytes: readonly Uint8Array[]): GgufArray {
  const utf8 = new TextDecoder();
  return {
    elementType: 'STRING',
    length: bytes.length,
    numbers: () => [],
    strings: () => bytes.map((b) => utf8.decode(b)),
    stringBytes: (index) => bytes[index],
  };
}

function numberArray(key: string, values: readonly number[]): GgufArray {
  const float = key.endsWith('scores') || values.some((value) => !Number.isInteger(value));
  return {
    elementType: float ? 'FLOAT32' : 'INT32',
    length: values.length,
    numbers: () => values,
    strings: () => [],
    stringBytes: () => new Uint8Array(0),
  };
}
