/**
 * The experts that the kernels choose from a token's router logits: the K that stand highest, equal ones by rising id. A logit is f32 and so is
 * what a margin adds to it, and else comparisons alone decide, so the host finds the same ones; where a logit is not a number the kernel's own
 * record says who they were.
 */
export function topExperts(
  logits: ArrayLike<number>,
  nUsed: number,
  /** Cache-aware routing: those with a slot stand `margin` higher. */
  { margin, hasSlot }: { readonly margin: number; readonly hasSlot: (expert: number) => boolean } = EXACT,
): number[] {
  const order = Array.from({ length: logits.length }, (_, expert) => expert);
  const standings = order.map((e) => (margin > 0 && hasSlot(e) ? Math.fround(logits[e] + Math.fround(margin)) : logits[e]));
  order.sort((a, b) => standings[b] - standings[a] || a - b);
  return order.slice(0, nUsed);
}

const EXACT = { margin: 0, hasSlot: () => false };
