/**
 * Brings tensor bytes from a ByteSource into GPU buffers as planes, piece by piece: the host never holds more than a few pieces, and after
 * BACKPRESSURE_BYTES of queued writes it waits for the queue (each write keeps a staging copy until the GPU has taken it).
 */
import type { GpuDevice } from '../device/open-device.ts';
import { alignUp } from '../device/usage.ts';
import type { GgufFile } from '../gguf/types.ts';
import { quantFormat } from '../quant/formats.ts';
import { planePlaces, toPlanes } from '../quant/planes.ts';
import type { ComputeType } from '../quant/types.ts';

/** Bytes of GGUF blocks read at once: large enough for a disk's full speed, small beside the queue's own staging. */
const PIECE_BYTES = 4 * 2 ** 20;
const BACKPRESSURE_BYTES = 32 * 2 ** 20;
/** Blocks of a piece: a multiple of 16 keeps every plane's write offset a multiple of 4 (and of 16) for all formats. */
const PIECE_BLOCKS_MULTIPLE = 16;

/** A run of whole blocks in the file and where its planes go. */
export interface BlockRun {
  readonly type: ComputeType;
  readonly part: number;
  readonly offsetBytes: number;
  readonly nBlocks: number;
}

export class Uploader {
  readonly #gpu: GpuDevice;
  readonly #file: GgufFile;
  readonly #signal: AbortSignal | undefined;
  readonly #onBytes: (bytes: number) => void;
  #queuedBytes = 0;

  /** `onBytes` is told the file bytes of each piece when it was queued. */
  constructor(gpu: GpuDevice, file: GgufFile, signal: AbortSignal | undefined, onBytes: (bytes: number) => void) {
    this.#gpu = gpu;
    this.#file = file;
    this.#signal = signal;
    this.#onBytes = onBytes;
  }

  /** Writes the planes of `run` into `buffer` from `targetBytes` on (a multiple of 16). */
  async blocks(run: BlockRun, buffer: GPUBuffer, targetBytes: number): Promise<void> {
    const format = quantFormat(run.type);
    const places = planePlaces(format, run.nBlocks);
    const perPiece = Math.max(1, Math.floor(PIECE_BYTES / (format.blockBytes * PIECE_BLOCKS_MULTIPLE))) * PIECE_BLOCKS_MULTIPLE;
    for (let first = 0; first < run.nBlocks; first += perPiece) {
      const nBlocks = Math.min(perPiece, run.nBlocks - first);
      const sizeBytes = nBlocks * format.blockBytes;
      const source = this.#file.sources[run.part];
      const bytes = await source.read(run.offsetBytes + first * format.blockBytes, sizeBytes, this.#signal);
      const planes = toPlanes(format, bytes, nBlocks);
      const pieces = planePlaces(format, nBlocks);
      pieces.forEach(({ offsetBytes, bytesPerBlock }, p) => {
        const length = alignUp(nBlocks * bytesPerBlock, 4); // the tail's padding is zero and lies in the plane's own
        const target = targetBytes + places[p].offsetBytes + first * bytesPerBlock;
        this.#gpu.device.queue.writeBuffer(buffer, target, planes, offsetBytes, length);
      });
      this.#onBytes(sizeBytes);
      await this.#queued(sizeBytes);
    }
  }

  /** Small data made on the CPU (norms, tables). `data` is a multiple of 4 bytes. */
  async data(data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>, buffer: GPUBuffer): Promise<void> {
    this.#gpu.device.queue.writeBuffer(buffer, 0, data);
    await this.#queued(data.byteLength);
  }

  async #queued(bytes: number): Promise<void> {
    this.#signal?.throwIfAborted();
    this.#queuedBytes += bytes;
    if (this.#queuedBytes < BACKPRESSURE_BYTES) return;
    this.#queuedBytes = 0;
    await this.#gpu.idle();
  }
}
