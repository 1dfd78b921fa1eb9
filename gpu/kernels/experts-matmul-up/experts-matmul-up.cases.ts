/** Cases of `experts-matmul-up`: every routing and tensor type, slots permuted over two shards; biases, the clamped activation. */
import type { MoeSpec } from '../../architectures/types.ts';
import { CaseRandom, joinF32, type KernelCase } from '../cases.ts';
import { caseSlab, ROUTINGS, SUM_TOLERANCE, tileTable, TYPES } from '../prefill-shared/case-helpers.ts';
import { expertMatmulParams } from '../prefill-shared/expert-slot.ts';
import { expertsSortRef } from '../experts-sort/experts-sort.ref.ts';
import type { ComputeType } from '../../quant/types.ts';
import { expertsMatmulUpGrid, expertsMatmulUpProgram } from './experts-matmul-up.ts';
import { expertsMatmulUpRef } from './experts-matmul-up.ref.ts';

interface UpCase {
  readonly routing: (typeof ROUTINGS)[number];
  readonly gate: ComputeType;
  readonly up?: ComputeType;
  readonly modelWidth?: number;
  readonly expertWidth?: number;
  readonly activation?: MoeSpec['activation'];
  readonly biases?: true;
}

function upCase(name: string, seed: number, options: UpCase): KernelCase {
  return {
    name: `experts-matmul-up: ${name}`,
    make() {
      const random = new CaseRandom(seed);
      const { nTokens, nExperts, nUsed, make } = options.routing;
      const { gate, up = gate, modelWidth = 256, expertWidth = 40 } = options;
      const sorted = expertsSortRef(make(random, nTokens, nExperts, nUsed), nExperts);
      const slab = caseSlab(random, nExperts, 2, [
        { type: gate, rows: expertWidth, cols: modelWidth },
        { type: up, rows: expertWidth, cols: modelWidth },
      ]);
      const x = random.normals(nTokens * modelWidth);
      const { activation } = options;
      // Rows beyond ±7, which the clamped activation holds.
      const biases = options.biases && {
        gate: random.normals(nExperts * expertWidth, 6),
        up: random.normals(nExperts * expertWidth, 6),
      };
      const biasOf = (all: Float32Array) => (id: number) => all.subarray(id * expertWidth, (id + 1) * expertWidth);
      const want = expertsMatmulUpRef({
        x,
        modelWidth,
        expertWidth,
        nExpertsUsed: nUsed,
        sorted,
        gate: (expert) => slab.matrices[0][expert].values,
        up: (expert) => slab.matrices[1][expert].values,
        activation,
        biases: biases && { gate: biasOf(biases.gate), up: biasOf(biases.up) },
      });
      const params = expertMatmulParams({
        ...slab,
        firstShard: 0,
        offsetsVec4: [slab.offsetsVec4[0], slab.offsetsVec4[1]],
        rows: expertWidth,
        cols: modelWidth,
        nExpertsUsed: nUsed,
      });
      const usedExperts = sorted.counts.filter((count) => count > 0).length;
      return {
        program: expertsMatmulUpProgram(gate, up, {
          activation,
          biases: biases && { gate: 3, up: 3 + nExperts * expertWidth },
        }),
        grid: expertsMatmulUpGrid(expertWidth, nExperts, nTokens * nUsed),
        bindings: [
          { input: params },
          { input: slab.shards[0] },
          { input: slab.shards[1] },
          { input: slab.table },
          { input: tileTable(sorted) },
          { input: sorted.pairs },
          { input: x },
          { expected: { type: 'f32', values: want, tolerance: SUM_TOLERANCE } },
          ...(biases ? [{ input: joinF32(random.normals(3), biases.gate, biases.up) }] : []),
        ],
        bytes: usedExperts * slab.slotStrideBytes + 4 * (x.length + want.length),
        flops: 4 * nTokens * nUsed * modelWidth * expertWidth,
      };
    },
  };
}

export const expertsMatmulUpCases: readonly KernelCase[] = [
  ...ROUTINGS.map((routing, i) => upCase(routing.name, 400 + i, { routing, gate: 'Q4_0', modelWidth: 64 })),
  ...TYPES.map((type, i) => upCase(type, 420 + i, { routing: ROUTINGS[0], gate: type })),
  upCase('biases and the clamped activation', 450, {
    ...{ routing: ROUTINGS[0], gate: 'Q4_0', modelWidth: 64, biases: true, activation: 'clamped-swiglu' },
  }),
  upCase('gate and up of two types', 440, { routing: ROUTINGS[0], gate: 'Q4_K', up: 'Q6_K' }),
];
