/** Cases of `sample-greedy`: ties, the last group, a miss (nothing may be committed), odd record lengths. */
import { CaseRandom, type KernelCase } from '../cases.ts';
import { caseGroups, NO_MISS, stepBindings } from '../sample/sample-case-helpers.ts';
import { sampleGreedyKernel } from './sample-greedy.ts';
import { sampleGreedyRef } from './sample-greedy.ref.ts';

function greedyCase(
  name: string,
  seed: number,
  make: (random: CaseRandom) => Float32Array,
  { miss = NO_MISS, recordWords = 6 } = {},
): KernelCase {
  return {
    name: `sample-greedy: ${name}`,
    make: () => {
      const random = new CaseRandom(seed);
      const logits = make(random);
      const { program, grid } = sampleGreedyKernel({ vocabularySize: logits.length, recordsAt: 5, recordWords });
      const step = stepBindings(random, { id: sampleGreedyRef(logits), miss, recordsAt: 5, recordWords });
      const groups = caseGroups(logits, 1);
      const bindings = [{ input: groups }, step.expertRows, step.state, step.ring];
      return { program, grid, bindings, bytes: groups.byteLength, flops: 0 };
    },
  };
}

const normals = (n: number) => (random: CaseRandom) => random.normals(n);

export const sampleGreedyCases: readonly KernelCase[] = [
  greedyCase('4099 tokens', 1100, normals(4099)),
  greedyCase('one token', 1101, normals(1)),
  greedyCase('all equal', 1102, () => new Float32Array(2000).fill(-7)),
  greedyCase('two equal greatest', 1103, (random) => random.normals(3000).map((v, i) => (i === 2999 || i === 1717 ? 50 : v))),
  greedyCase('the last token', 1104, (random) => random.normals(2050).map((v, i) => (i === 2049 ? 50 : v))),
  greedyCase('logits of -1e4', 1105, (random) => random.normals(500).map((v) => v - 1e4)),
  greedyCase('a miss', 1106, normals(600), { miss: 3 }),
  greedyCase('an odd number of ids in the record', 1107, normals(600), { recordWords: 301 }),
  greedyCase('no record', 1108, normals(600), { recordWords: 0 }),
];
