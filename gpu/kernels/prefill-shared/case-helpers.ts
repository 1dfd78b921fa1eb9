/** What the prefill kernels' case tables share: tolerances, routings and slabs of random experts. */
import { decodeKv, encodeKv } from '../../quant/kv-formats.ts';
import type { KvType } from '../../quant/kv-types.ts';
import { COMPUTE_TYPES, type ComputeType } from '../../quant/types.ts';
import { caseMatrix, joinPlanes, type CaseMatrix, type CaseRandom, type Tolerance } from '../cases.ts';
import type { SortedPairs } from '../experts-sort/experts-sort.ref.ts';
import { maxTiles, TILE_ROWS } from '../experts-sort/experts-sort.ts';

/** A sum of n products in f32, one after another, errs by about √n · 2^-24 of its terms: below 1e-11 squared for n ≤ 4096. */
export const SUM_TOLERANCE: Tolerance = { nmse: 1e-11, reason: 'f32 sums of up to 4096 products: (√4096 · 2^-24)² ≈ 1.5e-11' };

/** exp, sqrt and division of WGSL may err by a few ULP each. */
export const FUNCTION_TOLERANCE: Tolerance = {
  nmse: 1e-11,
  reason: 'a few ULP (2^-23) per built-in function: (16 · 2^-23)² ≈ 4e-12',
};

/** Rounding of keys and values is exact in the reference too; a value near a border may fall to the other side. */
export const KV_TOLERANCE: Readonly<Record<KvType, Tolerance>> = {
  f16: { nmse: 1e-7, reason: 'neighbouring f16 values differ by 2^-10: (2^-11)² ≈ 2.4e-7 if all did' },
  q8_0: {
    nmse: 2e-6,
    reason: 'a step is 1/127 of the greatest of 32, about σ/54: 3.4e-4 if all fell to the other side; 1 in 200 may',
  },
  f32: { nmse: 1e-10, reason: 'angles below 64 are within 64 · 2^-24, squared 1.5e-11' },
};

/** What every kernel is tried with. */
export const TYPES: readonly ComputeType[] = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_1', 'Q4_K', 'Q6_K'];

/** Kernels reach a type's weights through its snippet alone, so these are tried with one mat-vec and one matmul only. */
export const OTHER_TYPES = COMPUTE_TYPES.filter((type) => !TYPES.includes(type));

/** Numbers with a few outliers of 1e4, as residual streams have them. */
export function withOutliers(random: CaseRandom, length: number): Float32Array<ArrayBuffer> {
  const values = random.normals(length);
  for (let i = 0; i < Math.max(1, length / 200); i++) values[random.integer(length)] = random.normal() < 0 ? -1e4 : 1e4;
  return values;
}

/** Rows of a cache, N(0, 1) as far as its type can hold them, and their bytes. */
export function kvNormals(
  random: CaseRandom,
  type: KvType,
  headWidth: number,
  nRows: number,
): { values: Float64Array<ArrayBuffer>; bytes: Uint8Array<ArrayBuffer> } {
  const bytes = encodeKv(type, headWidth, random.normals(nRows * headWidth));
  return { values: decodeKv(type, headWidth, nRows, bytes), bytes };
}

/** `ids [T, K]`: each token's experts are distinct. */
export function randomRouting(random: CaseRandom, nTokens: number, nExperts: number, nUsed: number): Uint32Array<ArrayBuffer> {
  const ids = new Uint32Array(nTokens * nUsed);
  for (let token = 0; token < nTokens; token++) ids.set(random.permutation(nExperts).subarray(0, nUsed), token * nUsed);
  return ids;
}

/** The tile table that `experts-sort` leaves, as the specification of maxTiles and TILE_ROWS says. */
export function tileTable(sorted: SortedPairs): Uint32Array<ArrayBuffer> {
  const nExperts = sorted.counts.length;
  const tiles = new Uint32Array(4 * maxTiles(nExperts, sorted.pairs.length));
  let tile = 0;
  for (let expert = 0; expert < nExperts; expert++)
    for (let row = 0; row < sorted.counts[expert]; row += TILE_ROWS)
      tiles.set([expert, sorted.offsets[expert] + row, Math.min(TILE_ROWS, sorted.counts[expert] - row), 0], 4 * tile++);
  return tiles;
}

export interface CaseSlab {
  readonly shards: readonly Uint8Array[];
  /** [layers · E]; the row of the layer in question starts at `tableOffset`. */
  readonly table: Uint32Array<ArrayBuffer>;
  readonly tableOffset: number;
  readonly slotStrideBytes: number;
  readonly offsetsVec4: readonly number[];
  /** [projection][expert]. */
  readonly matrices: readonly (readonly CaseMatrix[])[];
}

/** Random experts of projections `{type, rows, cols}`, put into slots by a random permutation; equal shards. */
export function caseSlab(
  random: CaseRandom,
  nExperts: number,
  nShards: number,
  projections: readonly { type: ComputeType; rows: number; cols: number }[],
): CaseSlab {
  const matrices = projections.map(({ type, rows, cols }) =>
    Array.from({ length: nExperts }, () => caseMatrix(random, type, rows, cols)),
  );
  const slots = Array.from({ length: nExperts }, (_, expert) =>
    joinPlanes(
      matrices.map((m) => m[expert].planes),
      16,
    ),
  );
  const slotStrideBytes = Math.ceil(slots[0].bytes.length / 256) * 256;
  const slotsPerShard = Math.ceil(nExperts / nShards);
  const shards = Array.from({ length: nShards }, () => new Uint8Array(slotsPerShard * slotStrideBytes));
  const tableOffset = nExperts; // as if this were layer 1
  const table = new Uint32Array(2 * nExperts).fill(0xffffffff);
  random.permutation(nExperts).forEach((slot, expert) => {
    const shard = Math.floor(slot / slotsPerShard);
    const index = slot % slotsPerShard;
    shards[shard].set(slots[expert].bytes, index * slotStrideBytes);
    table[tableOffset + expert] = (shard << 24) | index;
  });
  return { shards, table, tableOffset, slotStrideBytes, offsetsVec4: slots[0].basesVec4, matrices };
}

/** Routings that the expert kernels must survive, by name. */
export const ROUTINGS: readonly {
  readonly name: string;
  readonly nTokens: number;
  readonly nExperts: number;
  readonly nUsed: number;
  make(random: CaseRandom, nTokens: number, nExperts: number, nUsed: number): Uint32Array<ArrayBuffer>;
}[] = [
  { name: 'sizes off the tile', nTokens: 37, nExperts: 6, nUsed: 3, make: randomRouting },
  { name: 'one token', nTokens: 1, nExperts: 8, nUsed: 2, make: randomRouting },
  {
    name: 'experts with no tokens',
    nTokens: 20,
    nExperts: 8,
    nUsed: 2,
    make: (random, nTokens, _nExperts, nUsed) => randomRouting(random, nTokens, 3, nUsed).map((id) => 2 * id + 1),
  },
  {
    name: 'all tokens on one expert',
    nTokens: 35,
    nExperts: 5,
    nUsed: 1,
    make: (_random, nTokens) => new Uint32Array(nTokens).fill(3),
  },
  { name: 'every expert used (K = E)', nTokens: 18, nExperts: 4, nUsed: 4, make: randomRouting },
];
