/**
 * How often an expert is on the GPU when a token asks for it, as a function of the share of experts that have a slot: interpolated between
 * measured points. Models of many small experts repeat themselves far more than models of few large ones.
 */
export type HitCurve = readonly (readonly [share: number, hit: number])[];

/** Qwen3-30B-A3B (128 experts, 8 used), recency cache over a cold conversation: github.com/kekzl/imp issue 1374. */
const MANY_EXPERTS: HitCurve = [
  [0, 0],
  [0.0625, 0.366],
  [0.1875, 0.741],
  [0.375, 0.894],
  [0.64, 0.962],
  [1, 1],
];
/** Mixtral 8x7B (8 experts, 2 used), recency cache of 2 and 4 experts a layer: Eliseev and Mazur, arXiv 2312.17238, 40 to 60 %. */
const FEW_EXPERTS: HitCurve = [
  [0, 0],
  [0.25, 0.4],
  [0.5, 0.6],
  [1, 1],
];
const FEW = 8;
const MANY = 128;

/** Between the two sources by the logarithm of the number of experts. */
export function assumedHitCurve(nExperts: number): (share: number) => number {
  const towardsMany = clamp(Math.log2(Math.max(1, nExperts) / FEW) / Math.log2(MANY / FEW));
  return (share) => (1 - towardsMany) * along(FEW_EXPERTS, share) + towardsMany * along(MANY_EXPERTS, share);
}

/** A recorded curve; points that go down are lifted, so that more slots never count for less. */
export function recordedHitCurve(points: HitCurve): (share: number) => number {
  let most = 0;
  const rising = [...points]
    .sort(([a], [b]) => a - b)
    .map(([share, hit]) => [clamp(share), (most = Math.max(most, clamp(hit)))] as const);
  const curve = [[0, 0], ...rising.filter(([share]) => share > 0 && share < 1), [1, 1]] as const satisfies HitCurve;
  return (share) => along(curve, share);
}

function along(curve: HitCurve, share: number): number {
  const x = clamp(share);
  const after = curve.findIndex(([at]) => at >= x);
  if (after <= 0) return curve[0][1];
  const [[x0, y0], [x1, y1]] = [curve[after - 1], curve[after]];
  return x1 === x0 ? y1 : y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}

const clamp = (value: number) => Math.min(1, Math.max(0, value));
