/** Cases of `head-matvec`: every tensor type, a vocabulary off the group, a later shard, equal logits, temperatures, outliers. */
import type { ComputeType } from '../../quant/types.ts';
import { CaseRandom, caseMatrix, type Expected, type KernelCase, type Tolerance } from '../cases.ts';
import { laneVariant } from '../lanes.ts';
import { SUM_TOLERANCE, TYPES, withOutliers } from '../prefill-shared/case-helpers.ts';
import { samplingBytes } from '../sample/sample.ts';
import { GROUP_ROWS, headMatvecKernel, headMatvecParams } from './head-matvec.ts';
import { headMatvecRef, logitGroupsRef } from './head-matvec.ref.ts';

/** Logits up to about 30 err by 2^-20 of themselves, times 1/temperature, in the exponent. */
const MASS_TOLERANCE: Tolerance = { nmse: 1e-7, reason: 'exp of f32 logits: (30 · 2^-20 / 0.1)² ≈ 8e-8' };

interface HeadCase {
  readonly rows?: number;
  readonly firstRow?: number;
  readonly temperature?: number;
  readonly outliers?: boolean;
  readonly equalRows?: boolean;
}

function headCase(name: string, seed: number, type: ComputeType, options: HeadCase = {}): KernelCase {
  return {
    name: `head-matvec: ${name}`,
    make(capabilities) {
      const random = new CaseRandom(seed);
      const { rows = 77, firstRow = 0, temperature = 0.8, outliers, equalRows } = options;
      const modelWidth = 256;
      const matrix = caseMatrix(random, type, equalRows ? 1 : rows, modelWidth);
      const planes = equalRows ? repeatF32(matrix.values, rows) : matrix.planes;
      const values = equalRows ? repeatF32(matrix.values, rows) : matrix.values;
      const residual = outliers ? withOutliers(random, modelWidth) : random.normals(modelWidth);
      const norm = random.normals(modelWidth);
      const { program, grid } = headMatvecKernel({ type, modelWidth, epsilon: 1e-5 }, rows, laneVariant(capabilities));
      const logits = headMatvecRef(residual, norm, Math.fround(1e-5), values);
      const groups = logitGroupsRef(logits, GROUP_ROWS, temperature);
      const nGroups = groups.argmax.length;
      const near = (numbers: Float64Array, tolerance: Tolerance): Expected => ({ type: 'f32', values: numbers, tolerance });
      const groupParts = Array.from({ length: nGroups }, (_, group) => {
        const offsetBytes = 16 * (firstRow / GROUP_ROWS + group);
        return [
          { offsetBytes, expected: near(groups.max.subarray(group, group + 1), SUM_TOLERANCE) },
          {
            offsetBytes: offsetBytes + 4,
            expected: { type: 'u32' as const, values: Uint32Array.of(firstRow + groups.argmax[group]) },
          },
          { offsetBytes: offsetBytes + 8, expected: near(groups.sumOfExp.subarray(group, group + 1), MASS_TOLERANCE) },
        ];
      });
      return {
        program,
        grid,
        bindings: [
          { input: headMatvecParams({ first_row: firstRow, n_rows: rows }) },
          { input: samplingBytes({ temperature, topK: 0, topP: 1, minP: 0, seed: 1 }) },
          { input: planes },
          { input: norm },
          { input: residual },
          {
            initial: random.normals(firstRow + rows),
            expected: { type: 'parts', parts: [{ offsetBytes: 4 * firstRow, expected: near(logits, SUM_TOLERANCE) }] },
          },
          {
            initial: new Uint32Array(4 * (firstRow / GROUP_ROWS + nGroups)),
            expected: { type: 'parts', parts: groupParts.flat() },
          },
        ],
        bytes: matrix.planes.length + 4 * (modelWidth + rows),
        flops: 2 * modelWidth * rows,
      };
    },
  };
}

function repeatF32(row: Float32Array, times: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: row.length * times }, (_, i) => row[i % row.length]);
}

export const headMatvecCases: readonly KernelCase[] = [
  ...TYPES.map((type, i) => headCase(type, 1000 + i, type)),
  headCase('whole groups', 1010, 'Q8_0', { rows: 64 }),
  headCase('one row', 1011, 'Q8_0', { rows: 1 }),
  headCase('a later shard', 1012, 'Q4_0', { rows: 40, firstRow: 48 }),
  headCase('equal logits', 1013, 'F32', { equalRows: true }),
  headCase('temperature 0.1', 1014, 'Q8_0', { temperature: 0.1 }),
  headCase('greedy', 1015, 'Q8_0', { temperature: 1 }),
  headCase('outliers of 1e4', 1016, 'Q4_0', { outliers: true }),
];
