/**
 * What a GGUF file holds, as data. Format: ggml's docs/gguf.md. Nothing here reads bytes (see read.ts).
 * Shapes follow our rule: row-major, last axis contiguous, so they are GGUF's `ne` reversed.
 */

/** Reads byte ranges of one file. Implemented by hosts over `fs`, `File` or memory; `gpu/` never knows which. */
export interface ByteSource {
  readonly name: string;
  readonly sizeBytes: number;
  /** Resolves with exactly `lengthBytes` bytes or rejects with `file.read`. */
  read(offsetBytes: number, lengthBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Fills `target` completely or rejects with `file.read`. Reads into mapped staging memory without a copy. */
  readInto(offsetBytes: number, target: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Fills `target` before it returns, nothing else happening meanwhile: for a little that is likely to be in memory. false: `readInto` says why not. */
  readNow?(offsetBytes: number, target: Uint8Array): boolean;
  /** Cheap (a stat): rejects with `file.changed` when these are no longer the bytes that were opened. Absent where they cannot change. */
  verify?(): Promise<void>;
}

/** ggml tensor types by their number in the file. Only those of `gpu/quant` can be computed with. */
export const GgmlType = {
  F32: 0,
  F16: 1,
  Q4_0: 2,
  Q4_1: 3,
  Q5_0: 6,
  Q5_1: 7,
  Q8_0: 8,
  Q8_1: 9,
  Q2_K: 10,
  Q3_K: 11,
  Q4_K: 12,
  Q5_K: 13,
  Q6_K: 14,
  Q8_K: 15,
  IQ2_XXS: 16,
  IQ2_XS: 17,
  IQ3_XXS: 18,
  IQ1_S: 19,
  IQ4_NL: 20,
  IQ3_S: 21,
  IQ2_S: 22,
  IQ4_XS: 23,
  I8: 24,
  I16: 25,
  I32: 26,
  I64: 27,
  F64: 28,
  IQ1_M: 29,
  BF16: 30,
  TQ1_0: 34,
  TQ2_0: 35,
  MXFP4: 39,
} as const;
export type GgmlTypeName = keyof typeof GgmlType;

/** GGUF metadata value types by their number in the file. */
export const GgufValueType = {
  UINT8: 0,
  INT8: 1,
  UINT16: 2,
  INT16: 3,
  UINT32: 4,
  INT32: 5,
  FLOAT32: 6,
  BOOL: 7,
  STRING: 8,
  ARRAY: 9,
  UINT64: 10,
  INT64: 11,
  FLOAT64: 12,
} as const;
export type GgufValueTypeName = keyof typeof GgufValueType;

/** A metadata array. Numbers come as a typed array; strings are decoded on first use and cached. */
export interface GgufArray {
  readonly elementType: GgufValueTypeName;
  readonly length: number;
  /** Numeric and bool arrays only; 64-bit integers come as BigInt arrays. */
  numbers(): ArrayLike<number> | BigInt64Array | BigUint64Array;
  /** String arrays only. */
  strings(): readonly string[];
  /** Raw bytes of string `index` (vocabularies hold byte sequences that are not valid UTF-8). */
  stringBytes(index: number): Uint8Array;
}

/** 64-bit integers come as bigint only where they exceed Number.MAX_SAFE_INTEGER. */
export type GgufValue = number | bigint | boolean | string | GgufArray;

export interface GgufTensor {
  readonly name: string;
  /** Row-major, last axis contiguous: `[rows, cols]`, experts `[E, rows, cols]`. */
  readonly shape: readonly number[];
  readonly type: GgmlTypeName;
  /** Index into `GgufFile.sources`: which part of a split file holds it. */
  readonly part: number;
  /** Absolute offset in that part. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface GgufFile {
  readonly version: 2 | 3;
  /** One per part; a file that is not split has one. */
  readonly sources: readonly ByteSource[];
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** The type that each metadata value has in the file, so that a copy keeps it. */
  readonly valueTypes: ReadonlyMap<string, GgufValueTypeName>;
  /** In file order. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  readonly sizeBytes: number;
}
