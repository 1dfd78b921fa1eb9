/**
 * Strided copies in WebAssembly: the same run of bytes out of every block, 16 bytes at a time at whatever address (v128), where JavaScript can
 * move 2. It sees only its own memory: blocks that lie elsewhere are moved in first, piece by piece within the processor's caches.
 */
import { invariant } from '../invariant.ts';

/** What it takes at once: what it makes of it has room beside the planes' padding. */
export const COPIER_INPUT_BYTES = 2 ** 15;
const PAGE_BYTES = 2 ** 16;

export interface BlockCopier {
  /** COPIER_INPUT_BYTES of blocks go in here. */
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  /** Memory for whoever asked for it: blocks that are read into it need not be moved in. */
  readonly own: Uint8Array<ArrayBuffer>;
  /** Where `bytes` begin in its memory; null: elsewhere. */
  addressOf(bytes: Uint8Array): number | null;
  /** `lengthBytes` (even) of `count` blocks from the address `from` on, to `toAt` of `output` on. */
  copy(from: number, fromStride: number, toAt: number, toStride: number, lengthBytes: number, count: number): void;
}

type Column = (fromAt: number, fromStride: number, toAt: number, toStride: number, count: number) => void;

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
    exported = new WebAssembly.Instance(new WebAssembly.Module(MODULE)).exports;
    memory = exported.memory as Memory;
    memory.grow(Math.ceil(ownBytes / PAGE_BYTES));
  } catch {
    return null;
  }
  const { buffer } = memory;
  const columns = [16, 4, 2].map((bytes) => ({ bytes, move: exported[`move${bytes}`] as Column }));
  return {
    input: new Uint8Array(buffer, 0, PAGE_BYTES),
    output: new Uint8Array(buffer, PAGE_BYTES, PAGE_BYTES),
    own: new Uint8Array(buffer, 2 * PAGE_BYTES, ownBytes),
    addressOf: (bytes) => (bytes.buffer === buffer ? bytes.byteOffset : null),
    copy(from, fromStride, toAt, toStride, lengthBytes, count) {
      invariant(toAt + (count - 1) * toStride + lengthBytes <= PAGE_BYTES, 'more than the output holds');
      let done = 0;
      for (const { bytes, move } of columns)
        for (; count > 0 && lengthBytes - done >= bytes; done += bytes)
          move(from + done, fromStride, PAGE_BYTES + toAt + done, toStride, count);
    },
  };
}

const I32 = 0x7f;
const [FROM, FROM_STRIDE, TO, TO_STRIDE, COUNT] = [0, 1, 2, 3, 4];
const [LOCAL_GET, LOCAL_SET, LOCAL_TEE, CONST, ADD, SUB, LOOP, BRANCH_IF, END] = [
  0x20, 0x21, 0x22, 0x41, 0x6a, 0x6b, 0x03, 0x0d, 0x0b,
];
const NO_RESULT = 0x40;

function sized(bytes: readonly number[]): number[] {
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
  return [...length, ...bytes];
}

const section = (id: number, items: readonly (readonly number[])[]) => [id, ...sized([items.length, ...items.flat()])];
const named = (name: string, ...rest: number[]) => [...sized([...name].map((letter) => letter.charCodeAt(0))), ...rest];
const add = (local: number, by: number) => [LOCAL_GET, local, LOCAL_GET, by, ADD, LOCAL_SET, local];

/** do { store(TO, load(FROM)); FROM += FROM_STRIDE; TO += TO_STRIDE } while (--COUNT) */
function column(load: readonly number[], store: readonly number[]): number[] {
  const move = [LOCAL_GET, TO, LOCAL_GET, FROM, ...load, ...store];
  const again = [LOCAL_GET, COUNT, CONST, 1, SUB, LOCAL_TEE, COUNT, BRANCH_IF, 0];
  return sized([0, LOOP, NO_RESULT, ...move, ...add(FROM, FROM_STRIDE), ...add(TO, TO_STRIDE), ...again, END, END]);
}

/** Loads and stores name no alignment and no offset (two zeros). The format: WebAssembly core specification, chapter 5. */
const MODULE = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [[0x60, ...sized([I32, I32, I32, I32, I32]), 0]]),
  ...section(3, [[0], [0], [0]]),
  ...section(5, [[0, 2]]), // pages: input, output
  ...section(7, [named('memory', 2, 0), named('move16', 0, 0), named('move4', 0, 1), named('move2', 0, 2)]),
  ...section(10, [
    column([0xfd, 0, 0, 0], [0xfd, 11, 0, 0]), // v128.load, v128.store
    column([0x28, 0, 0], [0x36, 0, 0]), // i32.load, i32.store
    column([0x2f, 0, 0], [0x3b, 0, 0]), // i32.load16_u, i32.store16
  ]),
]);
