/**
 * What a kernel's case table holds, as plain data: the program and its grid, what each binding starts with, what each output must
 * be (from the .ref.ts) and how near. The same tables run in Node, in a browser page and in the bench.
 */
import type { DeviceCapabilities, KernelProgram } from '../device/types.ts';
import { quantFormat, dequantise, quantise } from '../quant/formats.ts';
import { toPlanes } from '../quant/planes.ts';
import type { KvType } from '../quant/kv-types.ts';
import type { ComputeType } from '../quant/types.ts';

export type CaseData = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array;

/** How near results must come to the f64 reference; `reason` says where the numbers come from. */
export interface Tolerance {
  /** Σ(got − want)² / Σ want². */
  readonly nmse: number;
  /** Greatest |got − want|; no bound when absent. */
  readonly maxAbs?: number;
  readonly reason: string;
}

export type Expected =
  | { readonly type: 'f32'; readonly values: Float32Array | Float64Array; readonly tolerance: Tolerance }
  /** Rows of a KV cache, `[rows, Hd]`. */
  | {
      readonly type: 'kv';
      readonly kvType: KvType;
      readonly headWidth: number;
      readonly values: Float64Array;
      readonly tolerance: Tolerance;
    }
  /** Equal bit for bit. */
  | { readonly type: 'u32'; readonly values: Uint32Array }
  /** A binding may hold several arrays one after another; offsets are bytes from the binding's start. What no part covers may be anything. */
  | { readonly type: 'parts'; readonly parts: readonly { readonly offsetBytes: number; readonly expected: Expected }[] };

export interface CaseInput {
  readonly input: CaseData;
}
export interface CaseOutput {
  readonly expected: Expected;
  /** What the binding holds before; default: every word 0xDEADBEEF. Also its size, where the expectation does not cover all. */
  readonly initial?: CaseData;
}
/** A read-write binding whose content does not matter afterwards. */
export interface CaseScratch {
  readonly scratchBytes: number;
}
export type CaseBinding = CaseInput | CaseOutput | CaseScratch;

export interface CaseRun {
  readonly program: KernelProgram;
  readonly grid: readonly [x: number, y: number, z: number];
  /** One per binding of the program, in order. */
  readonly bindings: readonly CaseBinding[];
  /** Compulsory bytes and arithmetic of this dispatch, for the bench. */
  readonly bytes: number;
  readonly flops: number;
}

export interface KernelCase {
  /** Starts with the kernel's name. */
  readonly name: string;
  /** Deterministic: everything random comes from a seed that stands in the table. */
  make(capabilities: DeviceCapabilities): CaseRun;
}

/** Seeded numbers for case tables (mulberry32, Tommy Ettinger, public domain). */
export class CaseRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** [0, 1). */
  unit(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  integer(below: number): number {
    return Math.floor(this.unit() * below);
  }

  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }

  /** N(0, scale²). */
  normals(length: number, scale = 1): Float32Array<ArrayBuffer> {
    const numbers = new Float32Array(length); // filled by a loop: Float32Array.from takes twice as long
    for (let i = 0; i < length; i++) numbers[i] = this.normal() * scale;
    return numbers;
  }

  /** A permutation of 0 … n−1. */
  permutation(n: number): Uint32Array<ArrayBuffer> {
    const order = Uint32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}

export interface CaseMatrix {
  readonly type: ComputeType;
  /** Dequantised, `[rows, cols]`: what the reference multiplies with. */
  readonly values: Float32Array;
  /** Plane layout, a multiple of 16 bytes. */
  readonly planes: Uint8Array;
}

/** A random matrix of a tensor type, `[rows, cols]` with cols in whole blocks, as the file, the GPU and the reference see it. */
export function caseMatrix(random: CaseRandom, type: ComputeType, rows: number, cols: number, scale = 0.05): CaseMatrix {
  const blocks = quantise(type, random.normals(rows * cols, scale));
  const format = quantFormat(type);
  return { type, values: dequantise(type, blocks), planes: toPlanes(format, blocks, (rows * cols) / format.blockWeights) };
}

/** Regions one after another, each aligned; returns their offsets in units of 16 bytes. */
export function joinPlanes(planes: readonly Uint8Array[], alignmentBytes = 256): { bytes: Uint8Array; basesVec4: number[] } {
  const offsets: number[] = [];
  let total = 0;
  for (const region of planes) {
    total = Math.ceil(total / alignmentBytes) * alignmentBytes;
    offsets.push(total);
    total += region.length;
  }
  const bytes = new Uint8Array(Math.ceil(total / 16) * 16);
  planes.forEach((region, i) => bytes.set(region, offsets[i]));
  return { bytes, basesVec4: offsets.map((offset) => offset / 16) };
}

/** Numbers one after another as one f32 array. */
export function joinF32(...parts: readonly (ArrayLike<number> | undefined)[]): Float32Array<ArrayBuffer> {
  return Float32Array.from(parts.flatMap((part) => (part ? Array.from(part) : [])));
}
