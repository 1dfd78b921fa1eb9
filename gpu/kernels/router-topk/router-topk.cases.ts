/** Cases of `router-topk`: ties, K = E, outliers; sigmoid routers with and without bias and groups. */
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
      const random = new CaseRandom(seed);
      const logits = logitsOf(random, nTokens * shape.nExperts);
      const vectors = random.normals(4 + shape.nExperts, 0.3);
      const { sigmoid, ...numbers } = shape;
      const gating = {
        ...numbers,
        gating: sigmoid ? ('sigmoid' as const) : ('softmax' as const),
        selectionBias: sigmoid && sigmoid.bias >= 0 ? vectors.subarray(sigmoid.bias) : undefined,
        groups: sigmoid?.groups,
      };
      const want = routerTopkRef(logits, shape.nExperts, gating);
      return {
        program: routerTopkProgram(shape),
        grid: routerTopkGrid(nTokens),
        bindings: [
          { input: chunkBytes(nTokens, 2) },
          { input: logits },
          { input: vectors },
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
  topkCase('sigmoid', 10, 37, { ...shape, sigmoid: { bias: -1 } }, normals),
  topkCase(
    'sigmoid, not normalised, scaled',
    11,
    37,
    { ...shape, normalise: false, weightScale: 2.5, sigmoid: { bias: -1 } },
    normals,
  ),
  topkCase('sigmoid with a bias', 12, 37, { ...shape, sigmoid: { bias: 4 } }, normals),
  topkCase('2 of 4 groups', 13, 37, { ...shape, sigmoid: { bias: 4, groups: { count: 4, used: 2 } } }, normals),
  topkCase(
    '1 of 8 groups of two, all of it',
    14,
    21,
    { ...shape, nExpertsUsed: 2, sigmoid: { bias: -1, groups: { count: 8, used: 1 } } },
    normals,
  ),
  topkCase('all groups', 15, 21, { ...shape, sigmoid: { bias: 4, groups: { count: 4, used: 4 } } }, normals),
  topkCase(
    '4 of 8 groups, 256 experts',
    16,
    40,
    { ...shape, nExperts: 256, nExpertsUsed: 8, weightScale: 2.5, sigmoid: { bias: 4, groups: { count: 8, used: 4 } } },
    normals,
  ),
  topkCase('32 groups', 17, 9, { ...shape, nExperts: 64, sigmoid: { bias: 4, groups: { count: 32, used: 3 } } }, normals),
  topkCase(
    'equal scores: lowest groups and ids win',
    18,
    9,
    { ...shape, sigmoid: { bias: -1, groups: { count: 4, used: 2 } } },
    (_random, length) => new Float32Array(length).fill(0.25),
  ),
  topkCase(
    'sigmoids of nothing: the sum of the weights is held up',
    19,
    5,
    { ...shape, sigmoid: { bias: -1 } },
    (random, length) => random.normals(length).map((x) => x - 30),
  ),
];
