/**
 * Brings tensor bytes from a ByteSource into GPU buffers as planes, piece by piece, the next pieces being read meanwhile. The host never holds more
 * than READS_AHEAD pieces, and after BACKPRESSURE_BYTES of queued writes it waits for the queue (each write keeps a staging copy until the GPU
 * has taken it).
 */
import type { GpuDevice } from '../device/open-device.ts';
import { alignUp } from '../device/usage.ts';
import type { GgufFile } from '../gguf/types.ts';
import { quantFormat } from '../quant/formats.ts';
import { PLANE_ALIGNMENT_BYTES, planePlaces, writePlanes } from '../quant/planes.ts';
import type { ComputeType, QuantFormat } from '../quant/types.ts';
import { settle } from '../settle.ts';

/** Bytes of GGUF blocks read at once: with READS_AHEAD of them a disk has its full speed, and they stay in a processor's cache until they are used. */
const PIECE_BYTES = 2 ** 20;
const READS_AHEAD = 4;
const BACKPRESSURE_BYTES = 32 * 2 ** 20;
/** Blocks of a piece: a multiple of 16 keeps every plane's write offset a multiple of 4 (and of 16) for all formats. */
const PIECE_BLOCKS_MULTIPLE = 16;
const MOST_PLANES = 4;

/** A run of whole blocks in the file and where its planes go. */
export interface BlockRun {
  readonly type: ComputeType;
  readonly part: number;
  readonly offsetBytes: number;
  readonly nBlocks: number;
}

/** Blocks `first` and on of a run. */
interface Piece {
  readonly run: BlockRun;
  readonly first: number;
  readonly nBlocks: number;
}

export class Uploader {
  readonly #gpu: GpuDevice;
  readonly #file: GgufFile;
  readonly #signal: AbortSignal | undefined;
  readonly #onBytes: (bytes: number) => void;
  /** Memory for a piece each, and when it is free again; used in turns. */
  readonly #readers = Array.from({ length: READS_AHEAD }, () => ({
    memory: new Uint8Array(PIECE_BYTES),
    done: Promise.resolve(),
  }));
  readonly #planes = new Uint8Array(PIECE_BYTES + MOST_PLANES * PLANE_ALIGNMENT_BYTES);
  #nextReader = 0;
  #queuedBytes = 0;

  /** `onBytes` is told the file bytes of each piece when it was queued. */
  constructor(gpu: GpuDevice, file: GgufFile, signal: AbortSignal | undefined, onBytes: (bytes: number) => void) {
    this.#gpu = gpu;
    this.#file = file;
    this.#signal = signal;
    this.#onBytes = onBytes;
  }

  /**
   * Writes the planes of `run` into `buffer` from `targetBytes` on (a multiple of 16). Resolves when the last piece is being read, or rejects with
   * what failed until then: `settled` tells the end.
   */
  async blocks(run: BlockRun, buffer: GPUBuffer, targetBytes: number): Promise<void> {
    const format = quantFormat(run.type);
    const perPiece = Math.floor(PIECE_BYTES / (format.blockBytes * PIECE_BLOCKS_MULTIPLE)) * PIECE_BLOCKS_MULTIPLE;
    for (let first = 0; first < run.nBlocks; first += perPiece) {
      const reader = this.#readers[this.#nextReader++ % READS_AHEAD];
      await reader.done;
      const piece = { run, first, nBlocks: Math.min(perPiece, run.nBlocks - first) };
      reader.done = this.#bring(piece, format, reader.memory, buffer, targetBytes);
      reader.done.catch(() => undefined); // whoever has this reader next, or waits for the end, is told
    }
  }

  /** Resolves when all pieces are queued; rejects with what failed, when nothing is being read any more. */
  settled(): Promise<void> {
    return settle(this.#readers.map(({ done }) => done));
  }

  /** Small data made on the CPU (norms, tables). `data` is a multiple of 4 bytes. */
  async data(data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, buffer: GPUBuffer): Promise<void> {
    this.#gpu.device.queue.writeBuffer(buffer, 0, data);
    await this.#queued(data.byteLength);
  }

  async #bring(piece: Piece, format: QuantFormat, memory: Uint8Array, buffer: GPUBuffer, targetBytes: number): Promise<void> {
    const { run, first, nBlocks } = piece;
    const blocks = memory.subarray(0, nBlocks * format.blockBytes);
    await this.#file.sources[run.part].readInto(run.offsetBytes + first * format.blockBytes, blocks, this.#signal);
    writePlanes(format, blocks, nBlocks, this.#planes);
    const places = planePlaces(format, run.nBlocks);
    planePlaces(format, nBlocks).forEach(({ offsetBytes, bytesPerBlock }, p) => {
      const length = alignUp(nBlocks * bytesPerBlock, 4); // the tail's padding is zero and lies in the plane's own
      const target = targetBytes + places[p].offsetBytes + first * bytesPerBlock;
      this.#gpu.device.queue.writeBuffer(buffer, target, this.#planes, offsetBytes, length);
    });
    this.#onBytes(blocks.length);
    await this.#queued(blocks.length);
  }

  async #queued(bytes: number): Promise<void> {
    this.#signal?.throwIfAborted();
    this.#queuedBytes += bytes;
    if (this.#queuedBytes < BACKPRESSURE_BYTES) return;
    this.#queuedBytes = 0;
    await this.#gpu.idle();
  }
}
