/**
 * A few pieces of memory that runs of a file are read through: what comes is used while it lies in the processor's caches, and its memory is read
 * into again. What the system holds in memory is read in place, which takes less than a thread's help; what a disk has to bring, several pieces at once.
 */
import type { ByteSource } from '../../gguf/types.ts';
import { invariant } from '../../invariant.ts';
import { settle } from '../../settle.ts';

/** Read in place: small enough to stay in a core's second cache, and to be no long wait where a disk has to bring it after all. */
const IN_PLACE_BYTES = 2 ** 18;
/** What comes slower, twice in a row, comes from a disk. */
const LEAST_CACHED_BYTES_PER_MS = 3e6;
/** Clocks of pages go in such steps. */
const CLOCK_STEP_MS = 0.1;
/** So much is then left to threads before reading in place is tried again. */
const BYTES_AFTER_SLOW = 16 * 2 ** 20;

/** A run of whole units in a file. */
export interface FileRun {
  readonly source: ByteSource;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
  readonly unitBytes: number;
}

/** `bytes`, whole units from byte `fromByte` of the run on, have come: to be used at once. */
export type OnRunBytes = (bytes: Uint8Array, fromByte: number) => void;

export class PieceRing {
  readonly #free: Uint8Array[];
  readonly #pieceBytes: number;
  readonly #nowMs: () => number;
  /** Who waits for a piece, the first one first. */
  readonly #waiting: ((piece: Uint8Array) => void)[] = [];
  #bytesToThreads = 0;
  #wasSlow = false;

  /** `pieces`: all of a length. */
  constructor(pieces: readonly Uint8Array[], nowMs = () => performance.now()) {
    this.#free = [...pieces];
    this.#pieceBytes = pieces[0].length;
    this.#nowMs = nowMs;
  }

  /**
   * Tells `onBytes` of all of `run`, in any order; null: that is done. Rejects with what a read fails with, when none is in flight any more and nothing
   * is told.
   */
  read(run: FileRun, onBytes: OnRunBytes, signal?: AbortSignal): Promise<void> | null {
    try {
      const fromByte = this.#readInPlace(run, onBytes, signal);
      return fromByte < run.lengthBytes ? this.#readByThreads(run, fromByte, onBytes, signal) : null;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #readByThreads(run: FileRun, firstByte: number, onBytes: OnRunBytes, signal: AbortSignal | undefined): Promise<void> {
    const { source, offsetBytes, lengthBytes } = run;
    const mostBytes = wholeUnits(run, this.#pieceBytes);
    let hasFailed = false;
    const reads: Promise<void>[] = [];
    for (let fromByte = firstByte; fromByte < lengthBytes; fromByte += mostBytes) {
      const sizeBytes = Math.min(mostBytes, lengthBytes - fromByte);
      this.#bytesToThreads -= sizeBytes;
      const readPiece = async (piece: Uint8Array) => {
        if (hasFailed) return;
        const bytes = piece.subarray(0, sizeBytes);
        try {
          await source.readInto(offsetBytes + fromByte, bytes, signal);
        } catch (error) {
          hasFailed = true;
          throw error;
        }
        if (!hasFailed) onBytes(bytes, fromByte);
      };
      reads.push(this.#withPiece(readPiece));
    }
    await settle(reads);
  }

  /** As far as that is fast; how far. */
  #readInPlace(run: FileRun, onBytes: OnRunBytes, signal: AbortSignal | undefined): number {
    const { source, offsetBytes, lengthBytes } = run;
    const piece = this.#free.at(-1);
    let fromByte = 0;
    while (piece && source.readNow && fromByte < lengthBytes && this.#bytesToThreads <= 0) {
      signal?.throwIfAborted();
      const mostBytes = wholeUnits(run, Math.min(piece.length, IN_PLACE_BYTES));
      const bytes = piece.subarray(0, Math.min(mostBytes, lengthBytes - fromByte));
      const startMs = this.#nowMs();
      if (!source.readNow(offsetBytes + fromByte, bytes)) break;
      this.#judge(bytes.length, this.#nowMs() - startMs);
      onBytes(bytes, fromByte);
      fromByte += bytes.length;
    }
    return fromByte;
  }

  /** One slow read may only have been interrupted. */
  #judge(bytes: number, elapsedMs: number): void {
    const isSlow = elapsedMs > CLOCK_STEP_MS + bytes / LEAST_CACHED_BYTES_PER_MS;
    if (isSlow && this.#wasSlow) this.#bytesToThreads = BYTES_AFTER_SLOW;
    this.#wasSlow = isSlow;
  }

  async #withPiece(use: (piece: Uint8Array) => Promise<void>): Promise<void> {
    const piece = this.#free.pop() ?? (await new Promise<Uint8Array>((resolve) => this.#waiting.push(resolve)));
    try {
      await use(piece);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(piece);
      else this.#free.push(piece);
    }
  }
}

function wholeUnits({ lengthBytes, unitBytes }: FileRun, bytes: number): number {
  invariant(
    unitBytes <= bytes && lengthBytes % unitBytes === 0,
    `${lengthBytes} bytes in units of ${unitBytes}, ${bytes} at once`,
  );
  return Math.floor(bytes / unitBytes) * unitBytes;
}
