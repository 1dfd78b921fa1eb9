/** Block geometry of every ggml tensor type, so that a file with types we do not compute with can still be described and checked. */
import { GgmlType, type GgmlTypeName } from './types.ts';

export interface TypeGeometry {
  readonly blockWeights: number;
  readonly blockBytes: number;
}

/** [weights, bytes] per block, as ggml's `type_traits` table has them. */
const GEOMETRY: Readonly<Record<GgmlTypeName, readonly [number, number]>> = {
  F32: [1, 4],
  F16: [1, 2],
  BF16: [1, 2],
  F64: [1, 8],
  I8: [1, 1],
  I16: [1, 2],
  I32: [1, 4],
  I64: [1, 8],
  Q4_0: [32, 18],
  Q4_1: [32, 20],
  Q5_0: [32, 22],
  Q5_1: [32, 24],
  Q8_0: [32, 34],
  Q8_1: [32, 36],
  Q2_K: [256, 84],
  Q3_K: [256, 110],
  Q4_K: [256, 144],
  Q5_K: [256, 176],
  Q6_K: [256, 210],
  Q8_K: [256, 292],
  IQ2_XXS: [256, 66],
  IQ2_XS: [256, 74],
  IQ2_S: [256, 82],
  IQ3_XXS: [256, 98],
  IQ3_S: [256, 110],
  IQ1_S: [256, 50],
  IQ1_M: [256, 56],
  IQ4_NL: [32, 18],
  IQ4_XS: [256, 136],
  TQ1_0: [256, 54],
  TQ2_0: [256, 66],
  MXFP4: [32, 17],
};

const NAMES = new Map<number, GgmlTypeName>(Object.entries(GgmlType).map(([name, id]) => [id, name as GgmlTypeName]));

export function ggmlTypeName(id: number): GgmlTypeName | undefined {
  return NAMES.get(id);
}

export function typeGeometry(type: GgmlTypeName): TypeGeometry {
  const [blockWeights, blockBytes] = GEOMETRY[type];
  return { blockWeights, blockBytes };
}

/** Bytes of a tensor of `shape` (row-major); undefined where its rows are not whole blocks or the size is not a safe integer. */
export function tensorSizeBytes(type: GgmlTypeName, shape: readonly number[]): number | undefined {
  const { blockWeights, blockBytes } = typeGeometry(type);
  const columns = shape[shape.length - 1];
  if (columns % blockWeights !== 0) return undefined;
  const exact = shape.slice(0, -1).reduce((product, length) => product * length, (columns / blockWeights) * blockBytes);
  return Number.isSafeInteger(exact) ? exact : undefined; // a product that rounds is above 2^53, so never taken for a safe one
}
