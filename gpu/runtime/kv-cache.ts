/** Keys and values: two buffers a layer, each `[G, C]` rows of a head (kvLayout), of fixed capacity C, never reallocated. */
import type { ModelSpec } from '../architectures/types.ts';
import type { GpuDevice } from '../device/open-device.ts';
import type { BufferRange } from '../device/types.ts';
import { BufferUsage } from '../device/usage.ts';
import { engineError } from '../errors.ts';
import { kvLayout } from '../quant/kv-formats.ts';
import type { KvType } from '../quant/kv-types.ts';

export interface KvLayer {
  readonly keys: BufferRange;
  readonly values: BufferRange;
}

const KV_USAGE = BufferUsage.STORAGE | BufferUsage.COPY_DST | BufferUsage.COPY_SRC;

/** Of keys; of values the same. Throws `engine.kv-type`. */
export function kvBytesPerLayer(model: ModelSpec, kvType: KvType, contextTokens: number): number {
  return kvLayout(kvType, model.headWidth, model.nKvHeads * contextTokens).sizeBytes;
}

/** Throws `engine.kv-type`, or `gpu.limits` or `gpu.out-of-memory`, both of which a shorter context cures. */
export async function allocateKv(gpu: GpuDevice, model: ModelSpec, kvType: KvType, contextTokens: number): Promise<KvLayer[]> {
  const sizeBytes = kvBytesPerLayer(model, kvType, contextTokens);
  const allowedBytes = gpu.capabilities.maxStorageBindingBytes;
  if (sizeBytes > allowedBytes) {
    const most = Math.floor(allowedBytes / kvBytesPerLayer(model, kvType, 1));
    throw engineError(
      'gpu.limits',
      `A context of ${contextTokens} tokens needs ${sizeBytes} bytes of keys per layer, but this GPU allows ${allowedBytes} bytes per binding. Choose a context of at most ${most} tokens.`,
      { contextTokens, neededBytes: sizeBytes, allowedBytes, mostTokens: most },
    );
  }
  const buffers = await gpu.buffers.allocateAll(
    model.layers.flatMap(({ index }) =>
      ['keys', 'values'].map((name) => ({ label: `layer ${index} ${name}`, sizeBytes, usage: KV_USAGE, account: 'kv' as const })),
    ),
  );
  const range = (buffer: GPUBuffer): BufferRange => ({ buffer, offsetBytes: 0, sizeBytes: buffer.size });
  return model.layers.map((_, i) => ({ keys: range(buffers[2 * i]), values: range(buffers[2 * i + 1]) }));
}
