/** How many experts are on their way to the GPU at once. */

/** Each is three reads: so many keep a disk busy. */
const MOST = 4;
/** Six reads are still more than thread pools serve, and what goes through two stays in the processor's caches, which is what counts where it is the GPU too. */
const MOST_ON_PROCESSOR = 2;

/** Staging buffers that are of use; `isSoftware`: the adapter is the processor itself. */
export function mostStagingBuffers(isSoftware: boolean): number {
  return isSoftware ? MOST_ON_PROCESSOR : MOST;
}
