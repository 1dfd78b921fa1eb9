/** Cases of `rms-norm`. */
import { CaseRandom, joinF32, type KernelCase } from '../cases.ts';
import { FUNCTION_TOLERANCE, withOutliers } from '../prefill-shared/case-helpers.ts';
import { chunkBytes } from '../prefill-shared/chunk.ts';
import { rmsNormGrid, rmsNormProgram } from './rms-norm.ts';
import { rmsNormRef } from './rms-norm.ref.ts';

function normCase(name: string, width: number, nTokens: number, seed: number, outliers = false): KernelCase {
  return {
    name: `rms-norm: ${name}`,
    make() {
      const random = new CaseRandom(seed);
      const weightOffset = 5; // other vectors of the layer come first
      const x = outliers ? withOutliers(random, nTokens * width) : random.normals(nTokens * width);
      const weight = random.normals(width);
      return {
        program: rmsNormProgram(width, weightOffset, 1e-5),
        grid: rmsNormGrid(nTokens),
        bindings: [
          { input: chunkBytes(nTokens, 3) },
          { input: x },
          { input: joinF32(random.normals(weightOffset), weight) },
          { expected: { type: 'f32', values: rmsNormRef(x, weight, 1e-5), tolerance: FUNCTION_TOLERANCE } },
        ],
        bytes: nTokens * width * 8,
        flops: nTokens * width * 4,
      };
    },
  };
}

/** A row of zeros: the epsilon keeps it finite. */
const zeroRow: KernelCase = {
  name: 'rms-norm: a row of zeros',
  make() {
    const weight = new CaseRandom(4).normals(32);
    return {
      program: rmsNormProgram(32, 0, 1e-6),
      grid: rmsNormGrid(2),
      bindings: [
        { input: chunkBytes(2, 0) },
        { input: new Float32Array(64) },
        { input: weight },
        { expected: { type: 'f32', values: new Float32Array(64), tolerance: FUNCTION_TOLERANCE } },
      ],
      bytes: 512,
      flops: 256,
    };
  },
};

export const rmsNormCases: readonly KernelCase[] = [
  normCase('64 wide, 5 tokens', 64, 5, 1),
  normCase('one token, width off the workgroup', 416, 1, 2),
  normCase('outliers of 1e4', 512, 40, 3, true),
  zeroRow,
];
