/** Typed access to metadata. A missing key or a value of the wrong kind or range is `model.metadata`, which names key, found and allowed. */
import { engineError } from '../errors.ts';
import type { GgufArray, GgufFile, GgufValue } from './types.ts';

type Metadata = Pick<GgufFile, 'metadata'>;

export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  /** Only whole numbers are allowed. */
  readonly integer?: boolean;
}

/** The number at `key`; throws when it is missing. */
export function metadataNumber(file: Metadata, key: string, range: NumberRange = {}): number {
  return required(key, optionalNumber(file, key, range), 'a number');
}

/** The number at `key`, undefined when there is none. */
export function optionalNumber(file: Metadata, key: string, range: NumberRange = {}): number | undefined {
  const value = file.metadata.get(key);
  if (value === undefined) return undefined;
  const { min = -Infinity, max = Infinity, integer = false } = range;
  if (typeof value === 'number' && value >= min && value <= max && (!integer || Number.isInteger(value))) return value;
  const bounds = [min > -Infinity ? `from ${min}` : '', max < Infinity ? `up to ${max}` : ''].filter(Boolean).join(' ');
  throw wrong(key, value, [integer ? 'a whole number' : 'a number', bounds].filter(Boolean).join(' '));
}

export function metadataString(file: Metadata, key: string): string {
  return required(key, optionalString(file, key), 'a text');
}

export function optionalString(file: Metadata, key: string): string | undefined {
  const value = file.metadata.get(key);
  if (value === undefined || typeof value === 'string') return value;
  throw wrong(key, value, 'a text');
}

export function optionalBoolean(file: Metadata, key: string): boolean | undefined {
  const value = file.metadata.get(key);
  if (value === undefined || typeof value === 'boolean') return value;
  throw wrong(key, value, 'true or false');
}

export function metadataStrings(file: Metadata, key: string): GgufArray {
  return required(key, optionalStrings(file, key), 'a list of texts');
}

/** The array itself, since vocabularies are also read as bytes. */
export function optionalStrings(file: Metadata, key: string): GgufArray | undefined {
  const value = file.metadata.get(key);
  if (value === undefined) return undefined;
  if (typeof value === 'object' && value.elementType === 'STRING') return value;
  throw wrong(key, value, 'a list of texts');
}

/** Arrays of numbers; 64-bit integers must be safe integers. */
export function optionalNumbers(file: Metadata, key: string): ArrayLike<number> | undefined {
  const value = file.metadata.get(key);
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value.elementType === 'STRING' || value.elementType === 'BOOL') {
    throw wrong(key, value, 'a list of numbers');
  }
  const numbers = value.numbers();
  if (!(numbers instanceof BigInt64Array || numbers instanceof BigUint64Array)) return numbers;
  const safe = Array.from(numbers, Number);
  if (!safe.every(Number.isSafeInteger)) throw wrong(key, value, 'a list of numbers below 2^53');
  return safe;
}

function required<T>(key: string, value: T | undefined, kind: string): T {
  if (value !== undefined) return value;
  throw engineError('model.metadata', `The model file lacks "${key}" (${kind}), which this architecture needs.`, { field: key });
}

function wrong(key: string, value: GgufValue, allowed: string) {
  const found = typeof value === 'object' ? `a list of ${value.length} ${value.elementType}` : String(value).slice(0, 80);
  return engineError('model.metadata', `The model file's "${key}" is ${found}; ${allowed} is needed.`, {
    field: key,
    found,
    allowed,
  });
}
