/** Cases of `experts-matmul-down`: every routing and tensor type, a slab of more shards than one dispatch binds, biases. */
import { CaseRandom, joinF32, type KernelCase } from '../cases.ts';
import { caseSlab, ROUTINGS, SUM_TOLERANCE, tileTable, TYPES } from '../prefill-shared/case-helpers.ts';
import { expertMatmulParams, SHARDS_PER_DISPATCH } from '../prefill-shared/expert-slot.ts';
import { expertsSortRef } from '../experts-sort/experts-sort.ref.ts';
import type { ComputeType } from '../../quant/types.ts';
import { expertsMatmulDownGrid, expertsMatmulDownProgram } from './experts-matmul-down.ts';
import { expertsMatmulDownRef } from './experts-matmul-down.ref.ts';

interface DownCase {
  readonly routing: (typeof ROUTINGS)[number];
  readonly type: ComputeType;
  readonly modelWidth?: number;
  readonly expertWidth?: number;
  /** Shards of the slab and the first of the two that are bound. */
  readonly nShards?: number;
  readonly firstShard?: number;
  readonly biases?: true;
}

function downCase(name: string, seed: number, options: DownCase): KernelCase {
  return {
    name: `experts-matmul-down: ${name}`,
    make() {
      const random = new CaseRandom(seed);
      const { nTokens, nExperts, nUsed, make } = options.routing;
      const { type, modelWidth = 72, expertWidth = 256, nShards = 2, firstShard = 0 } = options;
      const sorted = expertsSortRef(make(random, nTokens, nExperts, nUsed), nExperts);
      const slab = caseSlab(random, nExperts, nShards, [
        { type: 'F32', rows: 1, cols: 32 }, // stands for gate and up: down does not start the slot
        { type, rows: modelWidth, cols: expertWidth },
      ]);
      const hidden = random.normals(nTokens * nUsed * expertWidth);
      const biases = options.biases && random.normals(nExperts * modelWidth);
      const all = expertsMatmulDownRef({
        hidden,
        modelWidth,
        expertWidth,
        sorted,
        down: (expert) => slab.matrices[1][expert].values,
        biases: biases && ((expert) => biases.subarray(expert * modelWidth, (expert + 1) * modelWidth)),
      });
      // Pairs whose expert lies in another shard keep what was there: another dispatch writes them.
      const initial = random.normals(all.length);
      const want = Float64Array.from(initial);
      for (let expert = 0; expert < nExperts; expert++) {
        const shard = slab.table[slab.tableOffset + expert] >>> 24;
        if (shard < firstShard || shard >= firstShard + SHARDS_PER_DISPATCH) continue;
        for (let place = sorted.offsets[expert]; place < sorted.offsets[expert + 1]; place++) {
          const at = sorted.pairs[place] * modelWidth;
          want.set(all.subarray(at, at + modelWidth), at);
        }
      }
      const params = expertMatmulParams({
        ...slab,
        firstShard,
        offsetsVec4: [slab.offsetsVec4[1]],
        rows: modelWidth,
        cols: expertWidth,
        nExpertsUsed: nUsed,
      });
      const usedExperts = sorted.counts.filter((count) => count > 0).length;
      return {
        program: expertsMatmulDownProgram(type, biases && 3),
        grid: expertsMatmulDownGrid(modelWidth, nExperts, nTokens * nUsed),
        bindings: [
          { input: params },
          { input: slab.shards[firstShard] },
          { input: slab.shards[firstShard + 1] ?? slab.shards[firstShard] },
          { input: slab.table },
          { input: tileTable(sorted) },
          { input: sorted.pairs },
          { input: hidden },
          { expected: { type: 'f32', values: want, tolerance: SUM_TOLERANCE }, initial },
          ...(biases ? [{ input: joinF32(random.normals(3), biases) }] : []),
        ],
        bytes: usedExperts * slab.slotStrideBytes + 4 * (hidden.length + want.length),
        flops: 2 * nTokens * nUsed * modelWidth * expertWidth,
      };
    },
  };
}

export const expertsMatmulDownCases: readonly KernelCase[] = [
  ...ROUTINGS.map((routing, i) => downCase(routing.name, 500 + i, { routing, type: 'Q4_0', expertWidth: 64 })),
  ...TYPES.map((type, i) => downCase(type, 520 + i, { routing: ROUTINGS[0], type })),
  downCase('biases', 545, { routing: ROUTINGS[0], type: 'Q8_0', expertWidth: 32, biases: true, nShards: 3 }),
  downCase('first two of three shards', 540, { routing: ROUTINGS[0], type: 'Q8_0', expertWidth: 32, nShards: 3 }),
  downCase('last of three shards', 541, { routing: ROUTINGS[0], type: 'Q8_0', expertWidth: 32, nShards: 3, firstShard: 2 }),
];
