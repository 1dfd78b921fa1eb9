/** Metadata arrays: views into the file's header that are decoded on first use, and arrays made in memory for the writer. */
import { invariant } from '../invariant.ts';
import type { GgufArray, GgufValueTypeName } from './types.ts';

const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const utf8 = new TextEncoder();

type NumericArray = ReturnType<GgufArray['numbers']>;

/** How the elements of each fixed-size value type are typed in memory. All hosts are little endian, as GGUF is. */
const NUMERIC = {
  UINT8: Uint8Array,
  INT8: Int8Array,
  BOOL: Uint8Array,
  UINT16: Uint16Array,
  INT16: Int16Array,
  UINT32: Uint32Array,
  INT32: Int32Array,
  FLOAT32: Float32Array,
  UINT64: BigUint64Array,
  INT64: BigInt64Array,
  FLOAT64: Float64Array,
} as const;
export type NumericTypeName = keyof typeof NUMERIC;

export function isNumericType(type: GgufValueTypeName): type is NumericTypeName {
  return type in NUMERIC;
}

export function elementBytes(type: NumericTypeName): number {
  return NUMERIC[type].BYTES_PER_ELEMENT;
}

/** An array of `elementType` over its raw little-endian bytes. */
export function numericArray(elementType: NumericTypeName, bytes: Uint8Array): GgufArray {
  let numbers: NumericArray | undefined;
  return {
    elementType,
    length: bytes.length / elementBytes(elementType),
    // Copied: the bytes may be unaligned in the header.
    numbers: () => (numbers ??= new NUMERIC[elementType](bytes.slice().buffer)),
    strings: () => invariant(false, `an array of ${elementType} holds no strings`) as never,
    stringBytes: () => invariant(false, `an array of ${elementType} holds no strings`) as never,
  };
}

/** Strings that lie in `bytes`, string i at `starts[i]` … `starts[i] + lengths[i]`. */
export function stringArrayView(bytes: Uint8Array, starts: Uint32Array, lengths: Uint32Array): GgufArray {
  let strings: readonly string[] | undefined;
  const stringBytes = (index: number) => {
    invariant(index >= 0 && index < starts.length, `string ${index} of ${starts.length}`);
    return bytes.subarray(starts[index], starts[index] + lengths[index]);
  };
  return {
    elementType: 'STRING',
    length: starts.length,
    numbers: () => invariant(false, 'an array of STRING holds no numbers') as never,
    strings: () => (strings ??= Array.from(starts, (_, i) => lenientUtf8.decode(stringBytes(i)))),
    stringBytes,
  };
}

/** For the writer. Strings that are not UTF-8 are given as bytes. */
export function stringArray(values: readonly (string | Uint8Array)[]): GgufArray {
  const encoded = values.map((value) => (typeof value === 'string' ? utf8.encode(value) : value));
  const lengths = Uint32Array.from(encoded, (bytes) => bytes.length);
  const starts = new Uint32Array(encoded.length);
  let total = 0;
  encoded.forEach((bytes, i) => {
    starts[i] = total;
    total += bytes.length;
  });
  const all = new Uint8Array(total);
  encoded.forEach((bytes, i) => all.set(bytes, starts[i]));
  return stringArrayView(all, starts, lengths);
}

/** For the writer. */
export function numberArray(elementType: Exclude<NumericTypeName, 'UINT64' | 'INT64'>, values: ArrayLike<number>): GgufArray {
  const typed = NUMERIC[elementType].from(values);
  return numericArray(elementType, new Uint8Array(typed.buffer));
}
