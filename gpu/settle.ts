/** Resolves when all of `work` is done. Where some of it fails, rejects with the first failure, but not before all has ended: nothing goes on behind the caller's back. */
export async function settle(work: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}
