/** Cases of `experts-down`: every tensor type, two shards, shared expert with and without output gate, an absent expert, K = E, K = 1 of many, odd widths, biases. */
import type { ComputeType } from '../../quant/types.ts';
import { CaseRandom, caseMatrix, joinF32, type KernelCase } from '../cases.ts';
import { expertRowsLayout } from '../experts-up/experts-up.ts';
import { laneVariant } from '../lanes.ts';
import { caseSlab, SUM_TOLERANCE, TYPES, withOutliers } from '../prefill-shared/case-helpers.ts';
import { routedLayout } from '../router-matvec/router-matvec.ts';
import { expertsDownKernel, expertsDownParams } from './experts-down.ts';
import { expertsDownRef } from './experts-down.ref.ts';

interface ExpertsDownCase {
  readonly type?: ComputeType;
  readonly nExperts?: number;
  readonly nUsed?: number;
  readonly modelWidth?: number;
  readonly nShards?: number;
  readonly shared?: { readonly type: ComputeType; readonly gate: boolean };
  readonly outliers?: boolean;
  readonly absentRank?: number;
  readonly biases?: true;
}

function expertsDownCase(name: string, seed: number, options: ExpertsDownCase): KernelCase {
  return {
    name: `experts-down: ${name}`,
    make(capabilities) {
      const random = new CaseRandom(seed);
      const { type = 'Q8_0', nExperts = 6, nUsed = 3, nShards = 1, shared, outliers, absentRank } = options;
      const { modelWidth = 70 } = options;
      const [width, sharedWidth] = [256, 512];
      const slab = caseSlab(random, nExperts, nShards, [{ type, rows: modelWidth, cols: width }]);
      const ids = random.permutation(nExperts).slice(0, nUsed);
      const weights = Float32Array.from(ids, () => random.unit());
      const hidden = outliers ? withOutliers(random, nUsed * width) : random.normals(nUsed * width);
      const hMid = random.normals(modelWidth);
      const sharedDown = caseMatrix(random, shared?.type ?? 'F32', modelWidth, sharedWidth);
      const layout = routedLayout(nExperts, sharedWidth);
      const routed = random.normals(layout.length);
      const biases = options.biases && random.normals(nExperts * modelWidth);
      const want = expertsDownRef({
        hMid,
        routing: { ids, weights: Float64Array.from(weights, (w, rank) => (rank === absentRank ? 0 : w)) },
        hidden: Array.from(ids, (_, rank) => hidden.subarray(rank * width, (rank + 1) * width)),
        down: (id) => slab.matrices[0][id].values,
        biases: biases && ((id) => biases.subarray(id * modelWidth, (id + 1) * modelWidth)),
        shared: shared && {
          hidden: routed.subarray(layout.sharedHidden),
          down: sharedDown.values,
          ...(shared.gate && { gateLogit: routed[layout.gateLogit] }),
        },
      });
      if (absentRank !== undefined) slab.table[slab.tableOffset + ids[absentRank]] = 0xffffffff;
      const rows = expertRowsLayout(nUsed * width, nUsed, nUsed);
      const expertRows = new Uint32Array(rows.length);
      new Float32Array(expertRows.buffer).set(hidden);
      new Float32Array(expertRows.buffer).set(weights, rows.weights);
      expertRows.set(ids, rows.ids);
      const { program, grid } = expertsDownKernel(
        {
          modelWidth,
          nExperts,
          nExpertsUsed: nUsed,
          width,
          down: { type, offsetVec4: slab.offsetsVec4[0] },
          slotStrideBytes: slab.slotStrideBytes,
          nShards,
          rows,
          shared: shared && { width: sharedWidth, type: shared.type, hasOutputGate: shared.gate },
          biases: biases && 5,
        },
        laneVariant(capabilities),
      );
      return {
        program,
        grid,
        bindings: [
          { input: expertsDownParams({ table_offset: slab.tableOffset }) },
          { input: slab.shards[0] },
          { input: slab.shards[nShards - 1] },
          { input: slab.table },
          { input: expertRows },
          { input: routed },
          {
            input: biases ? joinF32(random.normals(5), biases, new Float32Array(3)) : shared ? sharedDown.planes : slab.shards[0],
          },
          { input: hMid },
          { expected: { type: 'f32', values: want, tolerance: SUM_TOLERANCE } },
        ],
        bytes: nUsed * slab.slotStrideBytes + 4 * nUsed * width,
        flops: 2 * nUsed * modelWidth * width,
      };
    },
  };
}

export const expertsDownCases: readonly KernelCase[] = [
  ...TYPES.map((type, i) => expertsDownCase(type, 800 + i, { type })),
  expertsDownCase('two shards', 810, { nShards: 2, nExperts: 9, nUsed: 4 }),
  expertsDownCase('K = E', 811, { nExperts: 4, nUsed: 4 }),
  expertsDownCase('one of one', 812, { nExperts: 1, nUsed: 1 }),
  expertsDownCase('one of many', 817, { nExperts: 9, nUsed: 1 }),
  expertsDownCase('one of many, F32', 818, { type: 'F32', nExperts: 60, nUsed: 1, modelWidth: 64 }),
  expertsDownCase('one of many, absent', 819, { nUsed: 1, absentRank: 0 }),
  expertsDownCase('one of many, shared expert', 820, { nUsed: 1, shared: { type: 'Q8_0', gate: true } }),
  expertsDownCase('one of many, an odd width', 821, { nUsed: 1, modelWidth: 69 }),
  expertsDownCase('two of many, an odd width', 822, { nUsed: 2, modelWidth: 71 }),
  expertsDownCase('three of many, an odd width', 823, { type: 'F16', nUsed: 3, modelWidth: 33 }),
  expertsDownCase('five of many, an odd width', 824, { type: 'Q4_0', nUsed: 5, modelWidth: 97 }),
  expertsDownCase('shared expert', 813, { shared: { type: 'Q8_0', gate: false } }),
  expertsDownCase('shared expert of another type with output gate', 814, { type: 'Q4_K', shared: { type: 'Q6_K', gate: true } }),
  expertsDownCase('an absent expert', 815, { absentRank: 1 }),
  expertsDownCase('biases, an absent expert, an odd width', 830, {
    ...{ biases: true, absentRank: 1, nExperts: 9, nUsed: 4, nShards: 2, modelWidth: 71 },
  }),
  expertsDownCase('outliers of 1e4', 816, { type: 'Q4_0', outliers: true, shared: { type: 'F32', gate: true } }),
];
