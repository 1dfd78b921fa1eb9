/** Reads keys and values of a layer back to the host, for tests and debugging. */
import { BufferUsage, MapMode } from '../device/usage.ts';
import { kvLayout } from '../quant/kv-formats.ts';
import type { PlanContext } from './plan-context.ts';

/** The first rows of every key/value head, as the cache of G · nTokens rows that they would make (kvLayout); each plane is `[G, nTokens, …]`. */
export async function readKvRows(
  { gpu, model, buffers, kvType, contextTokens }: PlanContext,
  layer: number,
  nTokens: number,
): Promise<{ keys: Uint32Array; values: Uint32Array }> {
  const { keys, values } = buffers.layers[layer];
  const { nKvHeads, headWidth } = model;
  const from = kvLayout(kvType, headWidth, nKvHeads * contextTokens);
  const to = kvLayout(kvType, headWidth, nKvHeads * nTokens);
  const sizeBytes = 2 * to.sizeBytes;
  const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
  const read = await gpu.buffers.allocate({ label: 'KV read', sizeBytes, usage, account: 'staging' });
  try {
    const encoder = gpu.device.createCommandEncoder({ label: 'KV read' });
    [keys, values].forEach(({ buffer, offsetBytes }, which) => {
      to.planes.forEach((plane, p) => {
        for (let head = 0; head < nKvHeads; head++) {
          const source = offsetBytes + from.planes[p].offsetBytes + head * contextTokens * plane.rowBytes;
          const target = which * to.sizeBytes + plane.offsetBytes + head * nTokens * plane.rowBytes;
          encoder.copyBufferToBuffer(buffer, source, read, target, nTokens * plane.rowBytes);
        }
      });
    });
    gpu.device.queue.submit([encoder.finish()]);
    await gpu.orLost(read.mapAsync(MapMode.READ));
    const words = new Uint32Array(read.getMappedRange(0, sizeBytes).slice(0));
    return { keys: words.slice(0, words.length / 2), values: words.slice(words.length / 2) };
  } finally {
    gpu.buffers.release(read);
  }
}
