/** Cases of `dense-down`: every tensor type, a later shard (rows outside it must stay), outliers. */
import type { ComputeType } from '../../quant/types.ts';
import { CaseRandom, caseMatrix, type KernelCase } from '../cases.ts';
import { laneVariant } from '../lanes.ts';
import { SUM_TOLERANCE, TYPES, withOutliers } from '../prefill-shared/case-helpers.ts';
import { denseDownKernel } from './dense-down.ts';
import { denseDownRef } from './dense-down.ref.ts';

function denseDownCase(name: string, seed: number, type: ComputeType, { firstRow = 0, outliers = false } = {}): KernelCase {
  return {
    name: `dense-down: ${name}`,
    make(capabilities) {
      const random = new CaseRandom(seed);
      const [modelWidth, rows, cols] = [96, 67, 256];
      const matrix = caseMatrix(random, type, rows, cols);
      const hidden = outliers ? withOutliers(random, cols) : random.normals(cols);
      const hMid = random.normals(modelWidth);
      const before = random.normals(modelWidth);
      const { program, grid } = denseDownKernel({ type, cols, rows, firstRow }, laneVariant(capabilities));
      const want = Float64Array.from(before);
      want.set(denseDownRef(hidden, matrix.values, hMid.subarray(firstRow, firstRow + rows)), firstRow);
      return {
        program,
        grid,
        bindings: [
          { input: matrix.planes },
          { input: hidden },
          { input: hMid },
          { initial: before, expected: { type: 'f32', values: want, tolerance: SUM_TOLERANCE } },
        ],
        bytes: matrix.planes.length + 4 * (cols + 2 * rows),
        flops: 2 * rows * cols,
      };
    },
  };
}

export const denseDownCases: readonly KernelCase[] = [
  ...TYPES.map((type, i) => denseDownCase(type, 600 + i, type)),
  denseDownCase('a later shard', 610, 'Q8_0', { firstRow: 29 }),
  denseDownCase('outliers of 1e4', 611, 'Q4_0', { outliers: true }),
];
