/** Cases of `experts-combine`: without shared expert, with one, with its gate. */
import { CaseRandom, type KernelCase } from '../cases.ts';
import { FUNCTION_TOLERANCE, withOutliers } from '../prefill-shared/case-helpers.ts';
import { chunkBytes } from '../prefill-shared/chunk.ts';
import { expertsCombineGrid, expertsCombineProgram } from './experts-combine.ts';
import { expertsCombineRef } from './experts-combine.ref.ts';

function combineCase(name: string, seed: number, nTokens: number, nUsed: number, shared: 'none' | 'plain' | 'gated'): KernelCase {
  return {
    name: `experts-combine: ${name}`,
    make() {
      const random = new CaseRandom(seed);
      const modelWidth = 68;
      const [stride, column] = [12, 8];
      const pairOutputs = withOutliers(random, nTokens * nUsed * modelWidth);
      const weights = random.normals(nTokens * nUsed);
      const residual = random.normals(nTokens * modelWidth);
      const output = random.normals(nTokens * modelWidth);
      const gateRows = random.normals(nTokens * stride, 3);
      const gateLogits = Float32Array.from({ length: nTokens }, (_, token) => gateRows[token * stride + column]);
      const want = expertsCombineRef({
        pairOutputs,
        weights,
        residual,
        modelWidth,
        nExpertsUsed: nUsed,
        shared: shared === 'none' ? undefined : { output, gateLogits: shared === 'gated' ? gateLogits : undefined },
      });
      return {
        program: expertsCombineProgram({
          modelWidth,
          nExpertsUsed: nUsed,
          hasShared: shared !== 'none',
          sharedGate: shared === 'gated' ? { stride, column } : undefined,
        }),
        grid: expertsCombineGrid(modelWidth, nTokens),
        bindings: [
          { input: chunkBytes(nTokens, 0) },
          { input: pairOutputs },
          { input: weights },
          { input: residual },
          { input: output },
          { input: gateRows },
          { expected: { type: 'f32', values: want, tolerance: FUNCTION_TOLERANCE } },
        ],
        bytes: 4 * nTokens * modelWidth * (nUsed + 3),
        flops: 2 * nTokens * modelWidth * (nUsed + 1),
      };
    },
  };
}

export const expertsCombineCases: readonly KernelCase[] = [
  combineCase('two experts', 1, 13, 2, 'none'),
  combineCase('one token, eight experts', 2, 1, 8, 'none'),
  combineCase('shared expert', 3, 9, 4, 'plain'),
  combineCase('shared expert with its gate', 4, 40, 4, 'gated'),
];
