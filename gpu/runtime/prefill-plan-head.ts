/** Logits of a chunk's positions: final norm, then the head over a few rows at a time, each piece read back. For tests, parity and scoring. */
import { engineError } from '../errors.ts';
import { BufferUsage, MapMode } from '../device/usage.ts';
import { chunkBytes } from '../kernels/prefill-shared/chunk.ts';
import { matrixSteps, normStep, type LayerParts } from './prefill-plan-layer.ts';
import { bindSteps, encodeSteps, wholeBuffer, type BoundStep } from './prefill-plan-steps.ts';

/** A piece of logits in one buffer and its read-back. */
const MAX_PIECE_BYTES = 16 * 2 ** 20;
/** Multiplications of one submission: 2^32 take 0.1 s at 0.1 TFLOP/s. */
const MAX_PIECE_PRODUCTS = 2 ** 32;

export interface HeadWork {
  readonly dispatches: number;
  readonly submissions: number;
  readonly readbacks: number;
  readonly readbackBytes: number;
}

export class PrefillHead {
  readonly #parts: LayerParts;
  readonly #norm: readonly BoundStep[];
  readonly #head: readonly BoundStep[];
  readonly #buffers: readonly GPUBuffer[];
  readonly #pieceTokens: number;

  private constructor(parts: LayerParts, norm: BoundStep[], head: BoundStep[], buffers: GPUBuffer[], pieceTokens: number) {
    this.#parts = parts;
    this.#norm = norm;
    this.#head = head;
    this.#buffers = buffers;
    this.#pieceTokens = pieceTokens;
  }

  /** Compiles and allocates; `dispose` gives all back. */
  static async create(parts: LayerParts, chunkTokens: number): Promise<PrefillHead> {
    const { gpu, model, buffers: modelBuffers } = parts.context;
    const rowBytes = 4 * model.vocabularySize;
    if (rowBytes > gpu.capabilities.maxStorageBindingBytes) {
      throw engineError(
        'gpu.limits',
        `The logits of one token take ${rowBytes} bytes, but this GPU binds ${gpu.capabilities.maxStorageBindingBytes} at most.`,
        { neededBytes: rowBytes, allowedBytes: gpu.capabilities.maxStorageBindingBytes },
      );
    }
    const byProducts = Math.floor(MAX_PIECE_PRODUCTS / (model.vocabularySize * model.modelWidth));
    const pieceTokens = Math.max(1, Math.min(chunkTokens, byProducts, Math.floor(MAX_PIECE_BYTES / rowBytes)));
    const logitsUsage = BufferUsage.STORAGE | BufferUsage.COPY_SRC;
    const [chunk, logits, read] = await gpu.buffers.allocateAll([
      { label: 'head chunk', sizeBytes: 16, usage: BufferUsage.UNIFORM | BufferUsage.COPY_DST, account: 'activations' },
      { label: 'logits', sizeBytes: pieceTokens * rowBytes, usage: logitsUsage, account: 'activations' },
      {
        label: 'logits read',
        sizeBytes: pieceTokens * rowBytes,
        usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST,
        account: 'staging',
      },
    ]);
    const ends = {
      chunk: wholeBuffer(chunk),
      x: parts.activations.normed,
      out: wholeBuffer(logits),
      vectors: modelBuffers.globals,
    };
    const steps = [[normStep(parts, parts.activations.residual, modelBuffers.globals, 0)], matrixSteps(modelBuffers.head, ends)];
    await gpu.createPipelines(steps.flat().map((step) => step.program));
    const { groups, uniforms } = await bindSteps(gpu, steps);
    const buffers = uniforms ? [chunk, logits, read, uniforms] : [chunk, logits, read];
    return new PrefillHead(parts, groups[0], groups[1], buffers, pieceTokens);
  }

  /** Reads the logits of the chunk in `residual` into `out [nTokens, V]`. */
  async read(nTokens: number, out: Float32Array): Promise<HeadWork> {
    const { gpu, model } = this.#parts.context;
    const [chunk, logits, read] = this.#buffers;
    const rowBytes = 4 * model.vocabularySize;
    let pieces = 0;
    for (let first = 0; first < nTokens; first += this.#pieceTokens, pieces++) {
      const nRows = Math.min(this.#pieceTokens, nTokens - first);
      gpu.device.queue.writeBuffer(chunk, 0, chunkBytes(nRows, 0, first));
      const encoder = gpu.device.createCommandEncoder({ label: 'logits' });
      const pass = encoder.beginComputePass();
      if (first === 0) encodeSteps(pass, this.#norm, nTokens);
      encodeSteps(pass, this.#head, nRows);
      pass.end();
      encoder.copyBufferToBuffer(logits, 0, read, 0, nRows * rowBytes);
      gpu.device.queue.submit([encoder.finish()]);
      await gpu.idle(); // rejects with a typed error when the device is lost, which mapAsync does not
      await read.mapAsync(MapMode.READ, 0, nRows * rowBytes);
      out.set(new Float32Array(read.getMappedRange(0, nRows * rowBytes)), first * model.vocabularySize);
      read.unmap();
    }
    return {
      dispatches: this.#norm.length + pieces * this.#head.length,
      submissions: pieces,
      readbacks: pieces,
      readbackBytes: nTokens * rowBytes,
    };
  }

  dispose(): void {
    for (const buffer of this.#buffers) this.#parts.context.gpu.buffers.release(buffer);
  }
}
