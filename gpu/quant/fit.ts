/** What quantisers ask of a group of weights: its extreme, its range, and least-squares fits by a few levels for K-quants (ours, not ggml's search). */

/** The number of the largest magnitude, with its sign; the first of equals, 0 of nothing. */
export function extremeOf(numbers: ArrayLike<number>): number {
  let extreme = 0;
  for (let i = 0; i < numbers.length; i++) if (Math.abs(numbers[i]) > Math.abs(extreme)) extreme = numbers[i];
  return extreme;
}

export function rangeOf(numbers: Float32Array): { readonly least: number; readonly most: number } {
  let least = Infinity;
  let most = -Infinity;
  for (const number of numbers) {
    least = Math.min(least, number);
    most = Math.max(most, number);
  }
  return { least, most };
}

/** `scale` ≥ 0 and `offset` ≥ 0 with w ≈ scale·q − offset, q in 0 … `levels`: the range, then refined while it helps. */
export function affineFit(weights: Float32Array, levels: number): { scale: number; offset: number } {
  let least = 0; // the offset cannot be negative: a group above zero is fitted from zero
  let most = 0;
  for (const w of weights) {
    least = Math.min(least, w);
    most = Math.max(most, w);
  }
  let best = { scale: (most - least) / levels, offset: -least };
  if (best.scale === 0) return best;
  let bestError = affineError(weights, levels, best);
  for (let round = 0; round < 4; round++) {
    const next = refine(weights, levels, best);
    if (next === null) break;
    const error = affineError(weights, levels, next);
    if (error >= bestError) break;
    best = next;
    bestError = error;
  }
  return best;
}

type Affine = { scale: number; offset: number };

const level = (w: number, levels: number, fit: Affine) => Math.max(0, Math.min(levels, Math.round((w + fit.offset) / fit.scale)));

function affineError(weights: Float32Array, levels: number, fit: Affine): number {
  let sum = 0;
  for (const w of weights) sum += (fit.scale * level(w, levels, fit) - fit.offset - w) ** 2;
  return sum;
}

/** The best line through (q, w) for the levels that `fit` chooses; null where it leaves the allowed range. */
function refine(weights: Float32Array, levels: number, fit: Affine): Affine | null {
  let sumQ = 0;
  let sumQQ = 0;
  let sumW = 0;
  let sumQW = 0;
  for (const w of weights) {
    const q = level(w, levels, fit);
    sumQ += q;
    sumQQ += q * q;
    sumW += w;
    sumQW += q * w;
  }
  const n = weights.length;
  const determinant = n * sumQQ - sumQ * sumQ;
  if (determinant <= 0) return null;
  const scale = (n * sumQW - sumQ * sumW) / determinant;
  const offset = -(sumQQ * sumW - sumQ * sumQW) / determinant;
  return scale > 0 && offset >= 0 ? { scale, offset } : null;
}

/** `scale` (of either sign) with w ≈ scale·q, q in −`levels` … `levels` − 1; the extreme weight gets −`levels`, then refined. */
export function linearFit(weights: Float32Array, levels: number): number {
  const scale = extremeOf(weights) / -levels;
  if (scale === 0) return 0;
  let sumQQ = 0;
  let sumQW = 0;
  for (const w of weights) {
    const q = Math.max(-levels, Math.min(levels - 1, Math.round(w / scale)));
    sumQQ += q * q;
    sumQW += q * w;
  }
  return sumQQ > 0 ? sumQW / sumQQ : scale;
}
