/**
 * How much the GPU can still allocate: buffers are made under an out-of-memory scope, each twice the one before until one is refused, then
 * smaller and smaller ones, and all are destroyed at once. A driver that overcommits says more than it has, so callers cap the wish.
 */
import type { GpuDevice } from './open-device.ts';
import { BufferUsage } from './usage.ts';

const FIRST_BYTES = 64 * 2 ** 20;
/** The answer is exact to this. */
const LEAST_BYTES = 16 * 2 ** 20;

/** At most `wantedBytes` (rounded down to 16 MiB); nothing of it stays allocated. Rejects with `gpu.device-lost`. */
export async function probeFreeBytes(gpu: GpuDevice, wantedBytes: number): Promise<number> {
  const held: GPUBuffer[] = [];
  let freeBytes = 0;
  try {
    let sizeBytes = FIRST_BYTES;
    let refused = false;
    while (sizeBytes >= LEAST_BYTES && freeBytes + LEAST_BYTES <= wantedBytes) {
      const wanted = Math.floor((wantedBytes - freeBytes) / LEAST_BYTES) * LEAST_BYTES;
      const attemptBytes = Math.min(sizeBytes, wanted, gpu.capabilities.maxBufferBytes);
      const buffer = await tryAllocate(gpu, attemptBytes);
      if (buffer) {
        held.push(buffer);
        freeBytes += attemptBytes;
        if (!refused) sizeBytes *= 2;
      } else {
        refused = true;
        sizeBytes = Math.floor(attemptBytes / 2 / LEAST_BYTES) * LEAST_BYTES;
      }
    }
    return freeBytes;
  } finally {
    for (const buffer of held) buffer.destroy();
    await gpu.idle();
  }
}

async function tryAllocate({ device }: GpuDevice, sizeBytes: number): Promise<GPUBuffer | null> {
  device.pushErrorScope('out-of-memory');
  device.pushErrorScope('validation');
  let buffer: GPUBuffer | null;
  try {
    buffer = device.createBuffer({ label: 'memory probe', size: sizeBytes, usage: BufferUsage.STORAGE | BufferUsage.COPY_DST });
  } catch {
    buffer = null;
  }
  const [validation, memory] = await Promise.all([device.popErrorScope(), device.popErrorScope()]);
  if (buffer && !validation && !memory) return buffer;
  buffer?.destroy();
  return null;
}
