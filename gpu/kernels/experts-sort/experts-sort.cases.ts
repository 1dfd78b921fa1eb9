/** Cases of `experts-sort`: exact, word for word. */
import { CaseRandom, type KernelCase } from '../cases.ts';
import { randomRouting, ROUTINGS, tileTable } from '../prefill-shared/case-helpers.ts';
import { chunkBytes } from '../prefill-shared/chunk.ts';
import { EXPERTS_SORT_GRID, expertsSortProgram } from './experts-sort.ts';
import { expertsSortRef } from './experts-sort.ref.ts';

type Routing = (typeof ROUTINGS)[number];

function sortCase({ name, nTokens, nExperts, nUsed, make }: Routing, seed: number): KernelCase {
  return {
    name: `experts-sort: ${name}`,
    make() {
      const ids = make(new CaseRandom(seed), nTokens, nExperts, nUsed);
      const sorted = expertsSortRef(ids, nExperts);
      return {
        program: expertsSortProgram(nExperts, nUsed),
        grid: EXPERTS_SORT_GRID,
        bindings: [
          { input: chunkBytes(nTokens, 0) },
          { input: ids },
          { expected: { type: 'u32', values: sorted.pairs } },
          { expected: { type: 'u32', values: tileTable(sorted) } },
        ],
        bytes: 8 * ids.length,
        flops: 4 * ids.length * nExperts,
      };
    },
  };
}

const LARGE: Routing[] = [
  { name: 'more experts than lanes', nTokens: 9, nExperts: 300, nUsed: 8, make: randomRouting },
  { name: '128 experts, 8 used, 100 tokens', nTokens: 100, nExperts: 128, nUsed: 8, make: randomRouting },
];

export const expertsSortCases: readonly KernelCase[] = [...ROUTINGS, ...LARGE].map((routing, i) => sortCase(routing, 300 + i));
