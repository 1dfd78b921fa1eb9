/**
 * Writes GGUF version 3. The header is made in memory from shapes and types, so tensors can be streamed behind it one after
 * another and nothing larger than a chunk is held.
 */
import { invariant } from '../invariant.ts';
import { elementBytes, isNumericType, numberArray, stringArray } from './array.ts';
import { tensorSizeBytes } from './tensor-types.ts';
import {
  GgmlType,
  GgufValueType,
  type GgmlTypeName,
  type GgufArray,
  type GgufFile,
  type GgufValue,
  type GgufValueTypeName,
} from './types.ts';

export interface WritableValue {
  readonly type: GgufValueTypeName;
  readonly value: GgufValue;
}

export interface WritableTensor {
  readonly name: string;
  /** Row-major, as GgufTensor. */
  readonly shape: readonly number[];
  readonly type: GgmlTypeName;
  /** The tensor's bytes, or a function that yields them in order, in pieces of any size. */
  readonly data: Uint8Array | (() => AsyncIterable<Uint8Array> | Iterable<Uint8Array>);
}

export interface GgufContents {
  readonly metadata: ReadonlyMap<string, WritableValue>;
  readonly tensors: readonly WritableTensor[];
}

/** Takes the file's bytes in order. A chunk may be reused by the caller once the promise has resolved. */
export interface ByteSink {
  write(bytes: Uint8Array): Promise<void>;
}

export const u32Value = (value: number): WritableValue => ({ type: 'UINT32', value });
export const f32Value = (value: number): WritableValue => ({ type: 'FLOAT32', value });
export const boolValue = (value: boolean): WritableValue => ({ type: 'BOOL', value });
export const stringValue = (value: string): WritableValue => ({ type: 'STRING', value });
export const stringsValue = (values: readonly (string | Uint8Array)[]): WritableValue => ({
  type: 'ARRAY',
  value: stringArray(values),
});
export const i32sValue = (values: ArrayLike<number>): WritableValue => ({ type: 'ARRAY', value: numberArray('INT32', values) });
export const f32sValue = (values: ArrayLike<number>): WritableValue => ({ type: 'ARRAY', value: numberArray('FLOAT32', values) });

/** The metadata of a file that was read, each value with the type it had. */
export function copyMetadata(file: GgufFile): Map<string, WritableValue> {
  const copy = new Map<string, WritableValue>();
  for (const [key, value] of file.metadata) {
    const type = file.valueTypes.get(key);
    invariant(type !== undefined, `no value type for ${key}`);
    copy.set(key, { type, value });
  }
  return copy;
}

/** Streams the file; the sink's backpressure is waited for. */
export async function writeGguf(contents: GgufContents, sink: ByteSink): Promise<void> {
  const alignment = alignmentOf(contents);
  await sink.write(header(contents, alignment));
  for (const tensor of contents.tensors) {
    const expected = sizeOf(tensor);
    let written = 0;
    for await (const chunk of typeof tensor.data === 'function' ? tensor.data() : [tensor.data]) {
      written += chunk.length;
      await sink.write(chunk);
    }
    invariant(written === expected, `${tensor.name}: ${written} bytes were given for ${expected}`);
    const padding = padTo(expected, alignment) - expected;
    if (padding > 0) await sink.write(new Uint8Array(padding));
  }
}

/** The whole file in memory; every tensor's data must be bytes. */
export function ggufBytes(contents: GgufContents): Uint8Array<ArrayBuffer> {
  const alignment = alignmentOf(contents);
  const head = header(contents, alignment);
  const total = contents.tensors.reduce((sum, tensor) => sum + padTo(sizeOf(tensor), alignment), head.length);
  const out = new Uint8Array(total);
  out.set(head);
  let at = head.length;
  for (const tensor of contents.tensors) {
    invariant(tensor.data instanceof Uint8Array, `${tensor.name}: a streamed tensor cannot be written to memory`);
    invariant(tensor.data.length === sizeOf(tensor), `${tensor.name}: ${tensor.data.length} bytes for ${sizeOf(tensor)}`);
    out.set(tensor.data, at);
    at += padTo(tensor.data.length, alignment);
  }
  return out;
}

const padTo = (bytes: number, alignment: number) => Math.ceil(bytes / alignment) * alignment;

function alignmentOf(contents: GgufContents): number {
  const value = contents.metadata.get('general.alignment')?.value ?? 32;
  invariant(typeof value === 'number' && value >= 8, 'general.alignment must be a number');
  return value;
}

function sizeOf(tensor: WritableTensor): number {
  const size = tensorSizeBytes(tensor.type, tensor.shape);
  invariant(size !== undefined, `${tensor.name}: shape [${tensor.shape.join(', ')}] does not fit ${tensor.type}`);
  return size;
}

function header(contents: GgufContents, alignment: number): Uint8Array {
  const out = new Growing();
  out.bytes(new TextEncoder().encode('GGUF'));
  out.u32(3);
  out.u64(contents.tensors.length);
  out.u64(contents.metadata.size);
  for (const [key, { type, value }] of contents.metadata) {
    out.string(key);
    out.u32(GgufValueType[type]);
    writeValue(out, key, type, value);
  }
  let offset = 0;
  for (const tensor of contents.tensors) {
    out.string(tensor.name);
    out.u32(tensor.shape.length);
    for (const length of tensor.shape.toReversed()) out.u64(length);
    out.u32(GgmlType[tensor.type]);
    out.u64(offset);
    offset += padTo(sizeOf(tensor), alignment);
  }
  return out.finish(alignment);
}

function writeValue(out: Growing, key: string, type: GgufValueTypeName, value: GgufValue): void {
  if (type === 'STRING') {
    invariant(typeof value === 'string', `${key} must be a string`);
    out.string(value);
  } else if (type === 'ARRAY') {
    invariant(typeof value === 'object', `${key} must be an array`);
    writeArray(out, value);
  } else {
    invariant(typeof value !== 'object' && typeof value !== 'string', `${key} must be a ${type}`);
    out.number(type, value);
  }
}

function writeArray(out: Growing, array: GgufArray): void {
  out.u32(GgufValueType[array.elementType]);
  out.u64(array.length);
  if (isNumericType(array.elementType)) {
    const numbers = array.numbers() as ArrayLike<number | bigint>;
    for (let i = 0; i < array.length; i++) out.number(array.elementType, numbers[i]);
    return;
  }
  for (let i = 0; i < array.length; i++) {
    const bytes = array.stringBytes(i);
    out.u64(bytes.length);
    out.bytes(bytes);
  }
}

/** A byte buffer that doubles. */
class Growing {
  private buffer = new Uint8Array(65_536);
  private view = new DataView(this.buffer.buffer);
  private length = 0;

  private reserve(bytes: number): number {
    const at = this.length;
    this.length += bytes;
    if (this.length > this.buffer.length) {
      const grown = new Uint8Array(Math.max(this.length, this.buffer.length * 2));
      grown.set(this.buffer);
      this.buffer = grown;
      this.view = new DataView(grown.buffer);
    }
    return at;
  }

  u32(value: number): void {
    const at = this.reserve(4);
    this.view.setUint32(at, value, true);
  }

  u64(value: number): void {
    const at = this.reserve(8);
    this.view.setBigUint64(at, BigInt(value), true);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length);
    this.buffer.set(bytes, at);
  }

  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.length);
    this.bytes(bytes);
  }

  number(type: Exclude<GgufValueTypeName, 'STRING' | 'ARRAY'>, value: number | bigint | boolean): void {
    const at = this.reserve(elementBytes(type));
    switch (type) {
      case 'UINT8':
      case 'BOOL':
        return this.view.setUint8(at, Number(value));
      case 'INT8':
        return this.view.setInt8(at, Number(value));
      case 'UINT16':
        return this.view.setUint16(at, Number(value), true);
      case 'INT16':
        return this.view.setInt16(at, Number(value), true);
      case 'UINT32':
        return this.view.setUint32(at, Number(value), true);
      case 'INT32':
        return this.view.setInt32(at, Number(value), true);
      case 'FLOAT32':
        return this.view.setFloat32(at, Number(value), true);
      case 'FLOAT64':
        return this.view.setFloat64(at, Number(value), true);
      case 'UINT64':
        return this.view.setBigUint64(at, BigInt(value), true);
      case 'INT64':
        return this.view.setBigInt64(at, BigInt(value), true);
    }
  }

  finish(alignment: number): Uint8Array {
    this.reserve(padTo(this.length, alignment) - this.length);
    return this.buffer.subarray(0, this.length);
  }
}
