/** Throws when one of our own assumptions is broken: a bug of ours, never a fault of the user's input. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Invariant broken: ${message}`);
}
