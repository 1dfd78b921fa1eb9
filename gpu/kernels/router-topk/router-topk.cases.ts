/** Cases of `router-topk`: ties, K = E, outliers. */
import { CaseRandom, type KernelCase } from '../cases.ts';
import { FUNCTION_TOLERANCE, withOutliers } from '../prefill-shared/case-helpers.ts';
import { chunkBytes } from '../prefill-shared/chunk.ts';
import { routerTopkGrid, routerTopkProgram, type RouterTopkShape } from './router-topk.ts';
import { routerTopkRef } from './router-topk.ref.ts';

type MakeLogits = (random: CaseRandom, length: number) => Float32Array<ArrayBuffer>;

function topkCase(name: string, seed: number, nTokens: number, shape: RouterTopkShape, logitsOf: MakeLogits): KernelCase {
  return {
    name: `router-topk: ${name}`,
    make() {
      const logits = logitsOf(new CaseRandom(seed), nTokens * shape.nExperts);
      const want = routerTopkRef(logits, shape.nExperts, shape);
      return {
        program: routerTopkProgram(shape),
        grid: routerTopkGrid(nTokens),
        bindings: [
          { input: chunkBytes(nTokens, 2) },
          { input: logits },
          { expected: { type: 'u32', values: want.ids } },
          { expected: { type: 'f32', values: want.weights, tolerance: FUNCTION_TOLERANCE } },
        ],
        bytes: 4 * nTokens * (shape.nExperts + 2 * shape.nExpertsUsed),
        flops: nTokens * shape.nExperts * (shape.nExpertsUsed + 2),
      };
    },
  };
}

const normals: MakeLogits = (random, length) => random.normals(length, 2);
const shape = { nExperts: 16, nExpertsUsed: 4, normalise: true, weightScale: 1 };

export const routerTopkCases: readonly KernelCase[] = [
  topkCase('normalised', 1, 37, shape, normals),
  topkCase('not normalised', 2, 37, { ...shape, normalise: false }, normals),
  topkCase('weight scale', 3, 5, { ...shape, weightScale: 2.5 }, normals),
  topkCase('one token', 4, 1, shape, normals),
  topkCase('all scores equal: lowest ids win', 5, 9, shape, (_random, length) => new Float32Array(length).fill(0.25)),
  topkCase('many ties', 6, 50, shape, (random, length) => Float32Array.from({ length }, () => random.integer(3))),
  topkCase('K = E', 7, 11, { ...shape, nExperts: 6, nExpertsUsed: 6 }, normals),
  topkCase('K = 1 of 128', 8, 65, { ...shape, nExperts: 128, nExpertsUsed: 1, normalise: false }, normals),
  topkCase('outliers of 1e4', 9, 20, shape, withOutliers),
];
