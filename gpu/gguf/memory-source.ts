/** A ByteSource over bytes in memory: tests, fixtures, files that a page was handed. */
import { engineError } from '../errors.ts';
import type { ByteSource } from './types.ts';

export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  const slice = (offsetBytes: number, lengthBytes: number, signal?: AbortSignal) => {
    signal?.throwIfAborted();
    if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes + lengthBytes > bytes.length) {
      throw engineError('file.read', `${name}: ${lengthBytes} bytes at ${offsetBytes} are not in its ${bytes.length} bytes.`, {
        offsetBytes,
        lengthBytes,
      });
    }
    return bytes.subarray(offsetBytes, offsetBytes + lengthBytes);
  };
  return {
    name,
    sizeBytes: bytes.length,
    read: async (offsetBytes, lengthBytes, signal) => slice(offsetBytes, lengthBytes, signal).slice(),
    readInto: async (offsetBytes, target, signal) => target.set(slice(offsetBytes, target.length, signal)),
  };
}
