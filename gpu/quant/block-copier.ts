/**
 * Blocks into planes in WebAssembly: a loop per tensor type that moves a whole block, 16 bytes at a time at whatever address (v128), where JavaScript
 * can move 2. It sees only its own memory: blocks that lie elsewhere are moved in first, piece by piece within the processor's caches.
 */
import { invariant } from '../invariant.ts';
import { quantFormat } from './formats.ts';
import { COMPUTE_TYPES, type ComputeType, type QuantFormat } from './types.ts';

/** What it takes at once: with the planes it makes of it about a quarter of a core's second cache, and few enough pieces that calls cost nothing. */
export const COPIER_INPUT_BYTES = 2 ** 17;
const PAGE_BYTES = 2 ** 16;
/** A page more: planes have padding. */
const OUTPUT_BYTES = COPIER_INPUT_BYTES + PAGE_BYTES;
const MOST_PLANES = 4;

export interface BlockCopier {
  /** COPIER_INPUT_BYTES of blocks go in here. */
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  /** Memory for whoever asked for it: blocks that are read into it need not be moved in. */
  readonly own: Uint8Array<ArrayBuffer>;
  /** Where `bytes` begin in its memory; null: elsewhere. */
  addressOf(bytes: Uint8Array): number | null;
  /** `count` blocks of a type with several planes, from the address `from` on: plane p goes to `planesAt[p]` of `output` and on. */
  split(type: ComputeType, from: number, count: number, planesAt: readonly number[]): void;
}

/** From, count, where each plane goes. */
type Split = (from: number, count: number, ...to: number[]) => void;

let shared: BlockCopier | null | undefined;

interface Memory {
  readonly buffer: ArrayBuffer;
  /** By pages; what `buffer` was is detached. */
  grow(pages: number): number;
}

/** As much of it as is used here: Node's types have none, those of pages have their own. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
}

/** One for all, without memory of its own; null where there is no WebAssembly with 128-bit registers, or where it is forbidden. */
export function blockCopier(): BlockCopier | null {
  if (shared === undefined) shared = openBlockCopier(0);
  return shared;
}

/** One with `ownBytes`; null as above, and where there is no such memory. */
export function openBlockCopier(ownBytes: number): BlockCopier | null {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Wasm };
  let exported: Readonly<Record<string, unknown>>;
  let memory: Memory;
  try {
    exported = new WebAssembly.Instance(new WebAssembly.Module(moduleOf(splitTypes()))).exports;
    memory = exported.memory as Memory;
    memory.grow(Math.ceil(ownBytes / PAGE_BYTES));
  } catch {
    return null;
  }
  const { buffer } = memory;
  return {
    input: new Uint8Array(buffer, 0, COPIER_INPUT_BYTES),
    output: new Uint8Array(buffer, COPIER_INPUT_BYTES, OUTPUT_BYTES),
    own: new Uint8Array(buffer, COPIER_INPUT_BYTES + OUTPUT_BYTES, ownBytes),
    addressOf: (bytes) => (bytes.buffer === buffer ? bytes.byteOffset : null),
    split(type, from, count, planesAt) {
      if (count === 0) return;
      const { planes, blockBytes } = quantFormat(type);
      invariant(count * blockBytes <= COPIER_INPUT_BYTES, `${count} blocks of ${type} at once`);
      invariant(planesAt.length === planes.length && planes.length > 1, `${type} has ${planes.length} planes`);
      const to = Array.from({ length: MOST_PLANES }, (_, p) => COPIER_INPUT_BYTES + (planesAt[p] ?? 0));
      (exported[type] as Split)(from, count, ...to);
    },
  };
}

/** The others lie in a slot as in the file. */
const splitTypes = () => COMPUTE_TYPES.filter((type) => quantFormat(type).planes.length > 1);

const I32 = 0x7f;
const [FROM, COUNT, TO] = [0, 1, 2]; // parameters; TO + p: of plane p
const [LOCAL_GET, LOCAL_SET, LOCAL_TEE, CONST, ADD, SUB, LOOP, BRANCH_IF, END] = [
  0x20, 0x21, 0x22, 0x41, 0x6a, 0x6b, 0x03, 0x0d, 0x0b,
];
const NO_RESULT = 0x40;
/** Loads and stores by the bytes they move; 0: no alignment is promised. An offset follows. */
const MOVES = [
  { bytes: 16, load: [0xfd, 0, 0], store: [0xfd, 11, 0] }, // v128.load, v128.store
  { bytes: 8, load: [0x29, 0], store: [0x37, 0] }, // i64.load, i64.store
  { bytes: 4, load: [0x28, 0], store: [0x36, 0] }, // i32.load, i32.store
  { bytes: 2, load: [0x2f, 0], store: [0x3b, 0] }, // i32.load16_u, i32.store16
  { bytes: 1, load: [0x2d, 0], store: [0x3a, 0] }, // i32.load8_u, i32.store8
] as const;

/** LEB128, unsigned. */
function number(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...number(value >> 7)];
}

/** LEB128, signed, of what is not negative: its last byte has bit 6 clear. */
function constant(value: number): number[] {
  return value < 64 ? [CONST, value] : [CONST, (value & 127) | 128, ...constant(value >> 7).slice(1)];
}

const sized = (bytes: readonly number[]) => [...number(bytes.length), ...bytes];
const section = (id: number, items: readonly (readonly number[])[]) => [id, ...sized([...number(items.length), ...items.flat()])];
const named = (name: string, ...rest: number[]) => [...sized([...name].map((letter) => letter.charCodeAt(0))), ...rest];
const advance = (local: number, bytes: number) => [LOCAL_GET, local, ...constant(bytes), ADD, LOCAL_SET, local];

/** do { every run of a block: store(TO + p, load(FROM)); FROM and each TO advance by a block } while (--COUNT) */
function splitBody({ blockBytes, planes }: QuantFormat): number[] {
  const moves: number[] = [];
  const advances = advance(FROM, blockBytes);
  planes.forEach((runs, p) => {
    let at = 0;
    for (const { offsetBytes, lengthBytes } of runs) {
      for (let done = 0; done < lengthBytes;) {
        const move = MOVES.find(({ bytes }) => bytes <= lengthBytes - done)!;
        moves.push(LOCAL_GET, TO + p, LOCAL_GET, FROM, ...move.load, ...number(offsetBytes + done), ...move.store, ...number(at));
        done += move.bytes;
        at += move.bytes;
      }
    }
    advances.push(...advance(TO + p, at));
  });
  const again = [LOCAL_GET, COUNT, ...constant(1), SUB, LOCAL_TEE, COUNT, BRANCH_IF, 0];
  return sized([0, LOOP, NO_RESULT, ...moves, ...advances, ...again, END, END]);
}

/** A function for each of `types`, by its name, and the memory of input and output. The format: WebAssembly core specification, chapter 5. */
function moduleOf(types: readonly ComputeType[]): Uint8Array<ArrayBuffer> {
  const parameters = Array.from({ length: TO + MOST_PLANES }, () => I32);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [[0x60, ...sized(parameters), 0]]),
    ...section(
      3,
      types.map(() => [0]),
    ),
    ...section(5, [[0, ...number((COPIER_INPUT_BYTES + OUTPUT_BYTES) / PAGE_BYTES)]]),
    ...section(7, [named('memory', 2, 0), ...types.map((type, i) => named(type, 0, i))]),
    ...section(
      10,
      types.map((type) => splitBody(quantFormat(type))),
    ),
  ]);
}
