/** Cases of `output-matvec`: every tensor type, bias, a later shard (rows outside it must stay), outliers. */
import type { ComputeType } from '../../quant/types.ts';
import { CaseRandom, caseMatrix, type KernelCase } from '../cases.ts';
import { laneVariant } from '../lanes.ts';
import { SUM_TOLERANCE, TYPES, withOutliers } from '../prefill-shared/case-helpers.ts';
import { outputMatvecKernel } from './output-matvec.ts';
import { outputMatvecRef } from './output-matvec.ref.ts';

interface OutputCase {
  readonly type: ComputeType;
  readonly cols?: number;
  readonly bias?: boolean;
  readonly firstRow?: number;
  readonly outliers?: boolean;
}

function outputCase(name: string, seed: number, { type, cols = 256, bias, firstRow = 0, outliers }: OutputCase): KernelCase {
  return {
    name: `output-matvec: ${name}`,
    make(capabilities) {
      const random = new CaseRandom(seed);
      const [modelWidth, rows] = [96, 67];
      const matrix = caseMatrix(random, type, rows, cols);
      const attention = outliers ? withOutliers(random, cols) : random.normals(cols);
      const residual = outliers ? withOutliers(random, modelWidth) : random.normals(modelWidth);
      const vectors = random.normals(5 + modelWidth);
      const before = random.normals(modelWidth);
      const part = (values: Float32Array) => values.subarray(firstRow, firstRow + rows);
      const { program, grid } = outputMatvecKernel(
        { type, cols, rows, firstRow, bias: bias ? 5 : null },
        laneVariant(capabilities),
      );
      const want = Float64Array.from(before);
      want.set(outputMatvecRef(attention, matrix.values, part(residual), bias ? part(vectors.subarray(5)) : undefined), firstRow);
      return {
        program,
        grid,
        bindings: [
          { input: matrix.planes },
          { input: vectors },
          { input: attention },
          { input: residual },
          { initial: before, expected: { type: 'f32', values: want, tolerance: SUM_TOLERANCE } },
        ],
        bytes: matrix.planes.length + 4 * (cols + 2 * rows),
        flops: 2 * rows * cols,
      };
    },
  };
}

export const outputMatvecCases: readonly KernelCase[] = [
  ...TYPES.map((type, i) => outputCase(type, 300 + i, { type })),
  outputCase('bias', 310, { type: 'Q8_0', bias: true }),
  outputCase('a later shard with bias', 311, { type: 'Q4_0', bias: true, firstRow: 29 }),
  outputCase('outliers of 1e4', 312, { type: 'Q8_0', outliers: true }),
  outputCase('odd number of units', 313, { type: 'Q4_0', cols: 32 * 7 }),
];
