/**
 * How a model's tensors are cut into buffers, as pure arithmetic: row shards of matrices above the binding limit, matrices that share a
 * buffer, a layer's small vectors. The loader allocates by it and the planner adds it up, so that both mean the same bytes.
 */
import type { LayerSpec } from '../architectures/types.ts';
import { alignUp, RANGE_ALIGNMENT_BYTES } from '../device/usage.ts';
import { engineError } from '../errors.ts';
import type { GgufTensor } from '../gguf/types.ts';
import { GROUP_ROWS } from '../kernels/head-matvec/head-matvec.ts';
import { quantFormat } from '../quant/formats.ts';
import { planesSizeBytes } from '../quant/planes.ts';
import type { ComputeType } from '../quant/types.ts';
import type { LayerVectors } from './buffers.ts';

export interface MatrixShape {
  readonly type: ComputeType;
  readonly rows: number;
  readonly cols: number;
}

export interface MatrixLayout extends MatrixShape {
  readonly shards: readonly { readonly firstRow: number; readonly rows: number; readonly sizeBytes: number }[];
}

export interface FusedLayout {
  readonly sizeBytes: number;
  readonly parts: readonly (MatrixShape & { readonly baseVec4: number })[];
}

export type VectorName = Exclude<keyof LayerVectors, 'range'>;

export interface VectorsLayout {
  /** f32 elements. */
  readonly length: number;
  /** Those the layer has, in order of their offsets. */
  readonly places: readonly { readonly name: VectorName; readonly tensor: GgufTensor; readonly offset: number }[];
}

/** `[rows, cols]`; a vector counts as one row. `readModel` has checked the type. */
function matrixShape({ shape, type }: GgufTensor): MatrixShape {
  return { type: type as ComputeType, rows: shape.length === 1 ? 1 : shape[0], cols: shape[shape.length - 1] };
}

/** Throws `gpu.limits` where a group of rows alone is above `limitBytes` (of a binding, and of a buffer). */
export function matrixLayout(tensor: GgufTensor, limitBytes: number): MatrixLayout {
  const { type, rows, cols } = matrixShape(tensor);
  const perShard = rowsPerShard(tensor, type, rows, cols, limitBytes);
  const shards = [];
  for (let firstRow = 0; firstRow < rows; firstRow += perShard) {
    const n = Math.min(perShard, rows - firstRow);
    shards.push({ firstRow, rows: n, sizeBytes: planesSizeBytes(quantFormat(type), n * cols) });
  }
  return { type, rows, cols, shards };
}

/** One region, each part from a multiple of 256 bytes on. Throws `gpu.limits` above `allowedBytes` of a binding. */
export function fusedLayout(label: string, tensors: readonly GgufTensor[], allowedBytes: number): FusedLayout {
  let sizeBytes = 0;
  const parts = tensors.map((tensor) => {
    const shape = matrixShape(tensor);
    const baseVec4 = sizeBytes / 16;
    sizeBytes = alignUp(sizeBytes + planesSizeBytes(quantFormat(shape.type), shape.rows * shape.cols), RANGE_ALIGNMENT_BYTES);
    return { ...shape, baseVec4 };
  });
  if (sizeBytes > allowedBytes) {
    throw engineError(
      'gpu.limits',
      `The weights "${label}" need ${sizeBytes} bytes, but this GPU allows ${allowedBytes} bytes per binding. Choose a smaller model or a more strongly quantised file.`,
      { label, neededBytes: sizeBytes, allowedBytes },
    );
  }
  return { sizeBytes, parts };
}

/** Norms and biases one after another, each from a multiple of 4 elements on: norms are read as vec4. */
export function vectorsLayout({ attention, ffnNorm, ffn }: LayerSpec): VectorsLayout {
  const tensors: readonly (readonly [VectorName, GgufTensor | undefined])[] = [
    ['attentionNorm', attention.norm],
    ['qBias', attention.qBias],
    ['kBias', attention.kBias],
    ['vBias', attention.vBias],
    ['outputBias', attention.outputBias],
    ['qNorm', attention.qNorm],
    ['kNorm', attention.kNorm],
    ['ffnNorm', ffnNorm],
    ['selectionBias', ffn.kind === 'moe' ? ffn.selectionBias : undefined],
    ['sinks', attention.sinks],
    ['routerBias', ffn.kind === 'moe' ? ffn.routerBias : undefined],
    ['gateBiases', ffn.kind === 'moe' ? ffn.biases?.gate : undefined],
    ['upBiases', ffn.kind === 'moe' ? ffn.biases?.up : undefined],
    ['downBiases', ffn.kind === 'moe' ? ffn.biases?.down : undefined],
  ];
  let length = 0;
  const places = tensors.flatMap(([name, tensor]) => {
    if (!tensor) return [];
    const offset = alignUp(length, 4);
    length = offset + tensor.shape.reduce((product, n) => product * n, 1);
    return [{ name, tensor, offset }];
  });
  return { length, places };
}

/** Bytes of a layer's vectors that a step of one token does not read: the biases of experts that it does not use. */
export function idleVectorBytes({ ffn }: LayerSpec, nExpertsUsed: number): number {
  if (ffn.kind === 'dense' || !ffn.biases) return 0;
  const { gate, up, down } = ffn.biases;
  return (gate.sizeBytes + up.sizeBytes + down.sizeBytes) * (1 - nExpertsUsed / ffn.moe.nExperts);
}

function rowsPerShard(tensor: GgufTensor, type: ComputeType, rows: number, cols: number, limitBytes: number): number {
  const format = quantFormat(type);
  const fits = (n: number) => planesSizeBytes(format, n * cols) <= limitBytes;
  if (fits(rows)) return rows;
  const rowBytes = (cols / format.blockWeights) * format.blockBytes;
  const nShards = Math.ceil(tensor.sizeBytes / (limitBytes - format.planes.length * 16));
  // Whole groups of the head's rows in every shard; a shard a little longer than its share may not fit, then there is one more.
  const share = alignUp(Math.ceil(rows / nShards), GROUP_ROWS);
  const perShard = fits(share) ? share : share - GROUP_ROWS;
  if (perShard < GROUP_ROWS || !fits(perShard)) {
    throw engineError(
      'gpu.limits',
      `The tensor "${tensor.name}" has rows of ${rowBytes} bytes; this GPU allows ${limitBytes} bytes per binding, which must hold ${GROUP_ROWS} of them.`,
      { tensor: tensor.name, neededBytes: rowBytes, allowedBytes: limitBytes },
    );
  }
  return perShard;
}
