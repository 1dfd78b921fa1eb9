/** Reads keys and values of a layer back to the host, for tests and debugging. */
import { BufferUsage, MapMode } from '../device/usage.ts';
import type { PlanContext } from './plan-context.ts';

/** `[G, nTokens, Hd/2]` words each: the first rows of every key/value head. */
export async function readKvRows(
  { gpu, model, buffers, contextTokens }: PlanContext,
  layer: number,
  nTokens: number,
): Promise<{ keys: Uint32Array; values: Uint32Array }> {
  const { keys, values } = buffers.layers[layer];
  const rowBytes = 2 * model.headWidth;
  const headBytes = nTokens * rowBytes;
  const sizeBytes = 2 * model.nKvHeads * headBytes;
  const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
  const read = await gpu.buffers.allocate({ label: 'KV read', sizeBytes, usage, account: 'staging' });
  try {
    const encoder = gpu.device.createCommandEncoder({ label: 'KV read' });
    [keys, values].forEach(({ buffer, offsetBytes }, which) => {
      for (let head = 0; head < model.nKvHeads; head++) {
        const from = offsetBytes + head * contextTokens * rowBytes;
        encoder.copyBufferToBuffer(buffer, from, read, (which * model.nKvHeads + head) * headBytes, headBytes);
      }
    });
    gpu.device.queue.submit([encoder.finish()]);
    await gpu.orLost(read.mapAsync(MapMode.READ));
    const words = new Uint32Array(read.getMappedRange(0, sizeBytes).slice(0));
    return { keys: words.slice(0, words.length / 2), values: words.slice(words.length / 2) };
  } finally {
    gpu.buffers.release(read);
  }
}
