/** How fast a file gives pieces of an expert's size, several reads in flight, as the engine reads experts. */
import type { ByteSource } from '../gguf/types.ts';

const PIECE_BYTES = 2 ** 20;
const READS_IN_FLIGHT = 8;
const MOST_PIECES = 64;
const MOST_MS = 300;

/**
 * Bytes per second over pieces spread across the file, so that what the system has read ahead does not count; null for a file too small to
 * tell. Rejects as the source does.
 */
export async function measureDisk(
  source: ByteSource,
  nowMs = () => performance.now(),
  signal?: AbortSignal,
): Promise<number | null> {
  const pieces = Math.min(MOST_PIECES, Math.floor(source.sizeBytes / PIECE_BYTES));
  if (pieces < READS_IN_FLIGHT) return null;
  const stride = Math.floor(source.sizeBytes / pieces);
  const startMs = nowMs();
  let [next, doneBytes] = [0, 0];
  const reader = async () => {
    const target = new Uint8Array(PIECE_BYTES);
    while (next < pieces && nowMs() - startMs < MOST_MS) {
      // Every third piece and on, round and round: neighbours are not read one after another.
      const piece = (next++ * 37) % pieces;
      await source.readInto(piece * stride, target, signal);
      doneBytes += PIECE_BYTES;
    }
  };
  await Promise.all(Array.from({ length: READS_IN_FLIGHT }, reader));
  return (1000 * doneBytes) / Math.max(1e-3, nowMs() - startMs);
}
