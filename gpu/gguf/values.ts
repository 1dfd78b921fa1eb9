/** Parses metadata values. Arrays are checked and skipped here; their elements are decoded when someone asks. */
import { engineError } from '../errors.ts';
import { elementBytes, isNumericType, numericArray, stringArrayView } from './array.ts';
import type { Cursor } from './cursor.ts';
import { LIMITS } from './limits.ts';
import { GgufValueType, type GgufArray, type GgufValue, type GgufValueTypeName } from './types.ts';

const NAMES = new Map<number, GgufValueTypeName>(
  Object.entries(GgufValueType).map(([name, id]) => [id, name as GgufValueTypeName]),
);

export interface Metadata {
  readonly values: ReadonlyMap<string, GgufValue>;
  readonly types: ReadonlyMap<string, GgufValueTypeName>;
}

export function readMetadata(cursor: Cursor, count: number): Metadata {
  const values = new Map<string, GgufValue>();
  const types = new Map<string, GgufValueTypeName>();
  for (let i = 0; i < count; i++) {
    const at = cursor.offsetBytes;
    const key = cursor.string(`key ${i}`, LIMITS.keyBytes);
    if (key === '') throw cursor.fieldError(`key ${i}`, at, 'is empty');
    if (values.has(key)) throw cursor.fieldError(key, at, 'is in the file twice');
    const type = readValueType(cursor, key);
    values.set(key, readValue(cursor, key, type));
    types.set(key, type);
  }
  return { values, types };
}

function readValueType(cursor: Cursor, key: string): GgufValueTypeName {
  const at = cursor.offsetBytes;
  const id = cursor.u32(`${key}, its type`);
  const type = NAMES.get(id);
  if (type === undefined) {
    throw engineError('gguf.type', `${cursor.fileName}: "${key}" at byte ${at} has value type ${id}; types are 0 to 12.`, {
      field: key,
      offsetBytes: at,
      found: id,
    });
  }
  return type;
}

function readValue(cursor: Cursor, key: string, type: GgufValueTypeName): GgufValue {
  if (type === 'STRING') return cursor.string(key, LIMITS.stringBytes);
  if (type === 'ARRAY') return readArray(cursor, key);
  const at = cursor.take(elementBytes(type), key);
  const view = cursor.numbers();
  switch (type) {
    case 'UINT8':
      return view.getUint8(at);
    case 'INT8':
      return view.getInt8(at);
    case 'UINT16':
      return view.getUint16(at, true);
    case 'INT16':
      return view.getInt16(at, true);
    case 'UINT32':
      return view.getUint32(at, true);
    case 'INT32':
      return view.getInt32(at, true);
    case 'FLOAT32':
      return view.getFloat32(at, true);
    case 'FLOAT64':
      return view.getFloat64(at, true);
    case 'UINT64':
      return narrow(view.getBigUint64(at, true));
    case 'INT64':
      return narrow(view.getBigInt64(at, true));
    case 'BOOL':
      return readBool(cursor, key, at);
  }
}

const narrow = (value: bigint) => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};

function readBool(cursor: Cursor, key: string, at: number): boolean {
  const byte = cursor.window[at];
  if (byte > 1) throw cursor.fieldError(key, at, `is a truth value of ${byte}; 0 and 1 are allowed`, byte);
  return byte === 1;
}

function readArray(cursor: Cursor, key: string): GgufArray {
  const typeAt = cursor.offsetBytes;
  const elementType = readValueType(cursor, `${key}, its elements`);
  if (elementType === 'ARRAY') throw cursor.fieldError(key, typeAt, 'is an array of arrays, which no model uses');
  const countAt = cursor.offsetBytes;
  const length = cursor.count(`${key}, its length`, LIMITS.arrayLength);
  const leastBytes = isNumericType(elementType) ? elementBytes(elementType) : 8;
  if (length * leastBytes > cursor.remainingFileBytes) {
    throw cursor.fieldError(`${key}, its length`, countAt, `is ${length}, more than the file can hold`, length);
  }
  if (elementType === 'STRING') return readStrings(cursor, key, length);
  const from = cursor.take(length * leastBytes, key);
  if (elementType === 'BOOL') for (let i = 0; i < length; i++) readBool(cursor, `${key}[${i}]`, from + i);
  return numericArray(elementType, cursor.window.subarray(from, from + length * leastBytes));
}

function readStrings(cursor: Cursor, key: string, length: number): GgufArray {
  const starts = new Uint32Array(length);
  const lengths = new Uint32Array(length);
  for (let i = 0; i < length; i++) {
    const bytes = cursor.stringBytes(key, LIMITS.stringBytes);
    starts[i] = cursor.offsetBytes - bytes.length;
    lengths[i] = bytes.length;
  }
  return stringArrayView(cursor.window, starts, lengths);
}
