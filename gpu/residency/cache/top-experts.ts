/**
 * The experts that the kernels choose from a token's router logits: the K largest, equal ones by rising id. Comparisons alone decide, so the
 * host finds the same ones; where a logit is not a number the kernel's own record says who they were.
 */
export function topExperts(logits: ArrayLike<number>, nUsed: number): number[] {
  const order = Array.from({ length: logits.length }, (_, expert) => expert);
  order.sort((a, b) => logits[b] - logits[a] || a - b);
  return order.slice(0, nUsed);
}
