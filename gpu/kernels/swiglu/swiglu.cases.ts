/** Cases of `swiglu`, with gates at which exp would overflow. */
import { CaseRandom, type KernelCase } from '../cases.ts';
import { FUNCTION_TOLERANCE, withOutliers } from '../prefill-shared/case-helpers.ts';
import { chunkBytes } from '../prefill-shared/chunk.ts';
import { swigluGrid, swigluProgram } from './swiglu.ts';
import { swigluRef } from './swiglu.ref.ts';

function swigluCase(name: string, width: number, stride: number, nTokens: number, seed: number): KernelCase {
  return {
    name: `swiglu: ${name}`,
    make() {
      const random = new CaseRandom(seed);
      const gateUp = withOutliers(random, nTokens * stride);
      const columns = (first: number) =>
        Float32Array.from({ length: nTokens * width }, (_, i) => gateUp[Math.floor(i / width) * stride + first + (i % width)]);
      return {
        program: swigluProgram(width, stride),
        grid: swigluGrid(width, nTokens),
        bindings: [
          { input: chunkBytes(nTokens, 0) },
          { input: gateUp },
          { expected: { type: 'f32', values: swigluRef(columns(0), columns(width)), tolerance: FUNCTION_TOLERANCE } },
        ],
        bytes: 12 * nTokens * width,
        flops: 4 * nTokens * width,
      };
    },
  };
}

export const swigluCases: readonly KernelCase[] = [
  swigluCase('sizes off the workgroup', 36, 72, 11, 1),
  swigluCase('one token', 64, 128, 1, 2),
  swigluCase('rows with the shared gate behind them', 64, 132, 70, 3),
];
