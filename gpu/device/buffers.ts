/**
 * Buffers with a ledger: every byte on the device belongs to an account, has a label, and was allocated under an
 * out-of-memory scope, so that "does not fit" is a typed error with numbers and never a dead device.
 */
import { engineError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import type { MemoryLedger } from '../runtime/types.ts';
import { alignUp } from './usage.ts';

export const MEMORY_ACCOUNTS = ['weights', 'experts', 'kv', 'activations', 'staging'] as const;
export type MemoryAccount = (typeof MEMORY_ACCOUNTS)[number];

export interface BufferRequest {
  readonly label: string;
  /** Rounded up to a multiple of 16, so that the whole buffer can be read as vec4<u32>. */
  readonly sizeBytes: number;
  /** `BufferUsage` flags. */
  readonly usage: number;
  readonly account: MemoryAccount;
  readonly mappedAtCreation?: boolean;
}

export class BufferPool {
  readonly #device: GPUDevice;
  readonly #held = new Map<GPUBuffer, { account: MemoryAccount; sizeBytes: number }>();
  readonly #bytes: Record<MemoryAccount, number> = { weights: 0, experts: 0, kv: 0, activations: 0, staging: 0 };
  #peakBytes = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Zero-filled. Throws `gpu.limits` above the device's buffer limit, `gpu.out-of-memory` when the device refuses. */
  async allocate(request: BufferRequest): Promise<GPUBuffer> {
    return (await this.allocateAll([request]))[0];
  }

  /** All or nothing: when one is refused, those made before it are destroyed. */
  async allocateAll(requests: readonly BufferRequest[]): Promise<GPUBuffer[]> {
    const limit = this.#device.limits.maxBufferSize;
    for (const { label, sizeBytes } of requests) {
      invariant(sizeBytes > 0 && Number.isSafeInteger(sizeBytes), `buffer ${label} of ${sizeBytes} bytes`);
      if (sizeBytes > limit) {
        throw engineError(
          'gpu.limits',
          `The buffer "${label}" needs ${sizeBytes} bytes, but this GPU allows ${limit} bytes per buffer. Choose a smaller model or a shorter context.`,
          { label, neededBytes: sizeBytes, allowedBytes: limit },
        );
      }
    }
    this.#device.pushErrorScope('out-of-memory');
    this.#device.pushErrorScope('validation');
    const buffers: GPUBuffer[] = [];
    let thrown: unknown;
    try {
      for (const { label, sizeBytes, usage, mappedAtCreation } of requests) {
        buffers.push(
          this.#device.createBuffer({ label, size: alignUp(sizeBytes, 16), usage, mappedAtCreation: mappedAtCreation ?? false }),
        );
      }
    } catch (error) {
      thrown = error; // a mapped buffer that cannot be made throws a RangeError
    }
    const [validation, memory] = await Promise.all([this.#device.popErrorScope(), this.#device.popErrorScope()]);
    if (thrown === undefined && !validation && !memory) {
      buffers.forEach((buffer, i) => this.#enter(buffer, requests[i].account));
      return buffers;
    }
    for (const buffer of buffers) buffer.destroy();
    invariant(!validation, `createBuffer ${requests.map((r) => r.label).join(', ')}: ${validation?.message ?? ''}`);
    const neededBytes = requests.reduce((sum, r) => sum + r.sizeBytes, 0);
    throw engineError(
      'gpu.out-of-memory',
      `The GPU has no room for ${neededBytes} more bytes ("${requests[0].label}"); ${this.totalBytes} are in use. ` +
        'Close other programs that use the GPU, shorten the context or choose a smaller model.',
      { label: requests[0].label, neededBytes, inUseBytes: this.totalBytes },
      thrown ?? memory,
    );
  }

  /** Destroys the buffer and takes it off the ledger; it must not be in use by work that is yet to be submitted. */
  release(buffer: GPUBuffer): void {
    const held = this.#held.get(buffer);
    invariant(held, `buffer ${buffer.label} is not held`);
    this.#held.delete(buffer);
    this.#bytes[held.account] -= held.sizeBytes;
    buffer.destroy();
  }

  get totalBytes(): number {
    return MEMORY_ACCOUNTS.reduce((sum, account) => sum + this.#bytes[account], 0);
  }

  ledger(): MemoryLedger {
    return {
      weightsBytes: this.#bytes.weights,
      expertsBytes: this.#bytes.experts,
      kvBytes: this.#bytes.kv,
      activationsBytes: this.#bytes.activations,
      stagingBytes: this.#bytes.staging,
      totalBytes: this.totalBytes,
      peakBytes: this.#peakBytes,
    };
  }

  #enter(buffer: GPUBuffer, account: MemoryAccount): void {
    this.#held.set(buffer, { account, sizeBytes: buffer.size });
    this.#bytes[account] += buffer.size;
    this.#peakBytes = Math.max(this.#peakBytes, this.totalBytes);
  }
}
