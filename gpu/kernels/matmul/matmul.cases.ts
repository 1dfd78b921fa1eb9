/** Cases of `matmul`: every tensor type, tails of rows and tokens, epilogues, outliers, a matrix inside a fused region. */
import { CaseRandom, caseMatrix, joinPlanes, type KernelCase } from '../cases.ts';
import { OTHER_TYPES, SUM_TOLERANCE, TYPES, withOutliers } from '../prefill-shared/case-helpers.ts';
import { chunkBytes } from '../prefill-shared/chunk.ts';
import type { ComputeType } from '../../quant/types.ts';
import { matmulGrid, matmulParams, matmulProgram } from './matmul.ts';
import { matmulRef } from './matmul.ref.ts';

interface MatmulCase {
  readonly type: ComputeType;
  readonly rows: number;
  readonly cols: number;
  readonly nTokens: number;
  readonly bias?: boolean;
  readonly residual?: boolean;
  readonly outliers?: boolean;
  /** Rows of x before the first token's. */
  readonly firstRow?: number;
}

function matmulCase(name: string, seed: number, shape: MatmulCase): KernelCase {
  return {
    name: `matmul: ${name}`,
    make() {
      const random = new CaseRandom(seed);
      const { type, rows, cols, nTokens, firstRow = 0 } = shape;
      const matrix = caseMatrix(random, type, rows, cols);
      const x = (shape.outliers ? withOutliers : normals)(random, (firstRow + nTokens) * cols);
      const vectors = random.normals(rows + 3);
      const residual = random.normals(nTokens * rows);
      const want = matmulRef({
        x: x.subarray(firstRow * cols),
        weights: matrix.values,
        cols,
        bias: shape.bias ? vectors.subarray(3) : undefined,
        residual: shape.residual ? residual : undefined,
      });
      return {
        program: matmulProgram(type),
        grid: matmulGrid(rows, nTokens),
        bindings: [
          { input: chunkBytes(nTokens, 11, firstRow) },
          { input: matmulParams({ rows, cols, bias: shape.bias ? 3 : -1, residual: shape.residual }) },
          { input: matrix.planes },
          { input: x },
          { input: vectors },
          { input: residual },
          { expected: { type: 'f32', values: want, tolerance: SUM_TOLERANCE } },
        ],
        bytes: matrix.planes.length + 4 * nTokens * (rows + cols),
        flops: 2 * rows * cols * nTokens,
      };
    },
  };
}

const normals = (random: CaseRandom, length: number) => random.normals(length);

/** The second of two matrices of a region, written to columns 40 … 109 of rows of 120; the other columns must stay. */
const fusedCase: KernelCase = {
  name: 'matmul: part of a fused region, columns of a wider output',
  make() {
    const random = new CaseRandom(77);
    const [rows, cols, nTokens, outStride, outColumn] = [70, 64, 19, 120, 40];
    const before = caseMatrix(random, 'Q8_0', 33, cols);
    const matrix = caseMatrix(random, 'Q4_1', rows, cols);
    const region = joinPlanes([before.planes, matrix.planes]);
    const x = random.normals(nTokens * cols);
    const initial = random.normals(nTokens * outStride);
    const part = matmulRef({ x, weights: matrix.values, cols });
    const want = Float64Array.from(initial);
    for (let token = 0; token < nTokens; token++)
      want.set(part.subarray(token * rows, (token + 1) * rows), token * outStride + outColumn);
    return {
      program: matmulProgram('Q4_1'),
      grid: matmulGrid(rows, nTokens),
      bindings: [
        { input: chunkBytes(nTokens, 0) },
        { input: matmulParams({ rows, cols, baseVec4: region.basesVec4[1], outStride, outColumn }) },
        { input: region.bytes },
        { input: x },
        { input: x },
        { input: x },
        { expected: { type: 'f32', values: want, tolerance: SUM_TOLERANCE }, initial },
      ],
      bytes: matrix.planes.length + 4 * nTokens * (rows + cols),
      flops: 2 * rows * cols * nTokens,
    };
  },
};

export const matmulCases: readonly KernelCase[] = [
  ...[...TYPES, ...OTHER_TYPES].map((type, i) =>
    matmulCase(`${type}, tails of rows and tokens`, 200 + i, { type, rows: 70, cols: 256, nTokens: 21 }),
  ),
  matmulCase('one token', 220, { type: 'Q4_0', rows: 65, cols: 96, nTokens: 1 }),
  matmulCase('one row', 221, { type: 'F32', rows: 1, cols: 64, nTokens: 17 }),
  matmulCase('bias', 222, { type: 'F16', rows: 64, cols: 64, nTokens: 16, bias: true }),
  matmulCase('bias and residual', 223, { type: 'Q8_0', rows: 96, cols: 64, nTokens: 33, bias: true, residual: true }),
  matmulCase('outliers of 1e4', 224, { type: 'Q6_K', rows: 40, cols: 512, nTokens: 9, outliers: true }),
  matmulCase('rows of x from the middle', 225, { type: 'BF16', rows: 48, cols: 32, nTokens: 20, firstRow: 5 }),
  fusedCase,
];
