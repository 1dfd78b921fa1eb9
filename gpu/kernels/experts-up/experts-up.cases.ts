/** Cases of `experts-up`: every tensor type, two shards, equal logits, K = E, K = 1 of many, odd widths, an absent expert, outliers, expert counts off every tile; sigmoid routers with bias and groups; biases of experts, the clamped activation. */
import type { ExpertGroups, MoeSpec } from '../../architectures/types.ts';
import type { ComputeType } from '../../quant/types.ts';
import { selectionScores } from '../../reference/ops/routing.ts';
import { CaseRandom, joinF32, type Expected, type KernelCase } from '../cases.ts';
import { laneVariant } from '../lanes.ts';
import { caseSlab, FUNCTION_TOLERANCE, SUM_TOLERANCE, TYPES, withOutliers } from '../prefill-shared/case-helpers.ts';
import { expertRowsLayout, expertsUpKernel, expertsUpParams, RECORD_SUBSTITUTE } from './experts-up.ts';
import { expertsUpRef } from './experts-up.ref.ts';

const NO_MISS = 0xffffffff;
const LAYER = 5;

interface ExpertsUpCase {
  readonly types?: readonly [gate: ComputeType, up: ComputeType];
  readonly nExperts?: number;
  readonly nUsed?: number;
  readonly width?: number;
  readonly nShards?: number;
  readonly normalise?: boolean;
  readonly weightScale?: number;
  readonly outliers?: boolean;
  readonly logits?: (random: CaseRandom, nExperts: number) => Float32Array;
  /** The rank whose expert is in no slot; the layer that was missing before. */
  readonly absentRank?: number;
  readonly missBefore?: number;
  /** Cache-aware routing by this margin, and the experts that are in no slot then. */
  readonly margin?: number;
  readonly absentExperts?: readonly number[];
  /** A sigmoid router with a bias for the choice. */
  readonly sigmoid?: { readonly groups?: ExpertGroups };
  readonly activation?: MoeSpec['activation'];
  readonly biases?: true;
}

function expertsUpCase(name: string, seed: number, options: ExpertsUpCase): KernelCase {
  return {
    name: `experts-up: ${name}`,
    make(capabilities) {
      const random = new CaseRandom(seed);
      const { types = ['Q8_0', 'Q8_0'], nExperts = 6, nUsed = 3, nShards = 1, normalise = true } = options;
      const { width = 96, weightScale = 1, outliers, missBefore = NO_MISS, margin, absentExperts = [] } = options;
      const modelWidth = 256;
      const projections = types.map((type) => ({ type, rows: width, cols: modelWidth }));
      const slab = caseSlab(random, nExperts, nShards, projections);
      const hMid = outliers ? withOutliers(random, modelWidth) : random.normals(modelWidth);
      const norm = random.normals(modelWidth);
      const logits = options.logits?.(random, nExperts) ?? random.normals(nExperts, 2);
      const { sigmoid } = options;
      const gating = {
        ...{ nExpertsUsed: nUsed, normalise, weightScale },
        ...(sigmoid && { gating: 'sigmoid' as const, selectionBias: random.normals(nExperts, 0.3), groups: sigmoid.groups }),
      };
      // As router-matvec leaves them: before the choice between groups.
      const scores = sigmoid ? Float32Array.from(selectionScores(logits, { ...gating, groups: undefined })) : new Float32Array(0);
      // Rows beyond ±7, which the clamped activation holds.
      const biases = options.biases && { gate: random.normals(nExperts * width, 6), up: random.normals(nExperts * width, 6) };
      const biasOf = (all: Float32Array) => (id: number) => all.subarray(id * width, (id + 1) * width);
      const { routing, hidden } = expertsUpRef({
        hMid,
        norm,
        epsilon: Math.fround(1e-5),
        logits,
        gating,
        cacheAware: margin === undefined ? undefined : { margin, hasSlot: (expert) => !absentExperts.includes(expert) },
        gate: (id) => slab.matrices[0][id].values,
        up: (id) => slab.matrices[1][id].values,
        activation: options.activation,
        biases: biases && { gate: biasOf(biases.gate), up: biasOf(biases.up) },
      });
      const { absentRank } = options;
      if (absentRank !== undefined) {
        slab.table[slab.tableOffset + routing.ids[absentRank]] = 0xffffffff;
      }
      for (const expert of absentExperts) slab.table[slab.tableOffset + expert] = 0xffffffff;
      const missed = Array.from(routing.ids, (id, rank) => rank === absentRank || absentExperts.includes(id));
      for (const [rank, isMissed] of missed.entries()) if (isMissed) hidden[rank].fill(0);
      const record = routing.ids.map((id, rank) => (routing.isSubstitute[rank] ? id | RECORD_SUBSTITUTE : id));
      const rows = expertRowsLayout(nUsed * width, nUsed, 4 * nUsed);
      const recordAt = rows.records + 2 * nUsed;
      const { program, grid } = expertsUpKernel(
        {
          modelWidth,
          nExperts,
          nExpertsUsed: nUsed,
          width,
          gate: { type: types[0], offsetVec4: slab.offsetsVec4[0] },
          up: { type: types[1], offsetVec4: slab.offsetsVec4[1] },
          slotStrideBytes: slab.slotStrideBytes,
          nShards,
          rows,
          normalise,
          weightScale,
          sigmoid: sigmoid && { scores: nExperts + 3, groups: sigmoid.groups },
          norm: 4,
          epsilon: 1e-5,
          margin,
          activation: options.activation,
          biases: biases && { gate: 4 + modelWidth, up: 4 + modelWidth + nExperts * width },
        },
        laneVariant(capabilities),
      );
      const miss = missed.includes(true) ? Math.min(missBefore, LAYER) : missBefore;
      const expected: Expected = {
        type: 'parts',
        parts: [
          { offsetBytes: 0, expected: { type: 'f32', values: joinF32(...hidden), tolerance: SUM_TOLERANCE } },
          { offsetBytes: 4 * rows.ids, expected: { type: 'u32', values: routing.ids } },
          { offsetBytes: 4 * rows.weights, expected: { type: 'f32', values: routing.weights, tolerance: FUNCTION_TOLERANCE } },
          { offsetBytes: 4 * recordAt, expected: { type: 'u32', values: record } },
        ],
      };
      return {
        program,
        grid,
        bindings: [
          { input: expertsUpParams({ table_offset: slab.tableOffset, layer: LAYER, record_at: recordAt }) },
          { input: slab.shards[0] },
          { input: slab.shards[nShards - 1] },
          { input: slab.table },
          { input: joinF32(random.normals(4), norm, ...(biases ? [biases.gate, biases.up, new Float32Array(3)] : [])) },
          { input: hMid },
          { input: sigmoid ? joinF32(logits, random.normals(3), scores) : logits },
          {
            initial: Uint32Array.of(40, 7, missBefore, 9),
            expected: { type: 'u32', values: Uint32Array.of(40, 7, miss, 9) },
          },
          { initial: new Uint32Array(rows.length).fill(0xdeadbeef), expected },
        ],
        bytes: nUsed * slab.slotStrideBytes + 4 * modelWidth,
        flops: 4 * nUsed * modelWidth * width,
      };
    },
  };
}

const equal = (_random: CaseRandom, nExperts: number) => new Float32Array(nExperts).fill(-1.25);
const pairsOfEqual = (random: CaseRandom, nExperts: number) =>
  random.normals(nExperts).map((logit, i, all) => (i % 2 ? all[i - 1] : logit));

/** Falling by 0.5 from expert 0 on: experts 0, 1, 2 are the exact choice of 3. */
const falling = (_random: CaseRandom, nExperts: number) => Float32Array.from({ length: nExperts }, (_, e) => 3 - e / 2);

export const expertsUpCases: readonly KernelCase[] = [
  ...TYPES.map((type, i) => expertsUpCase(type, 700 + i, { types: [type, type] })),
  expertsUpCase('two types', 710, { types: ['Q4_K', 'Q6_K'] }),
  expertsUpCase('two shards', 711, { nShards: 2, nExperts: 9, nUsed: 4 }),
  expertsUpCase('K = E', 712, { nExperts: 4, nUsed: 4 }),
  expertsUpCase('one of one', 713, { nExperts: 1, nUsed: 1 }),
  expertsUpCase('one of many', 722, { nExperts: 9, nUsed: 1 }),
  expertsUpCase('one of many, not normalised', 723, { nExperts: 60, nUsed: 1, normalise: false, types: ['F32', 'F32'] }),
  expertsUpCase('one of many, equal logits', 724, { logits: equal, nExperts: 7, nUsed: 1 }),
  expertsUpCase('one of many, absent', 725, { nUsed: 1, absentRank: 0 }),
  expertsUpCase('one of many, an odd width', 726, { nUsed: 1, width: 97 }),
  expertsUpCase('two of many, an odd width', 727, { nUsed: 2, width: 95 }),
  expertsUpCase('three of many, an odd width', 728, { nUsed: 3, width: 33, types: ['F16', 'F16'] }),
  expertsUpCase('five of many, a width off 4', 729, { nUsed: 5, width: 98, types: ['Q4_0', 'Q4_0'] }),
  expertsUpCase('equal logits', 714, { logits: equal, nExperts: 7 }),
  expertsUpCase('pairs of equal logits', 715, { logits: pairsOfEqual, nExperts: 40, nUsed: 7 }),
  expertsUpCase('logits of ±1e4', 716, { logits: (random, n) => random.normals(n, 1e4), nExperts: 12 }),
  expertsUpCase('not normalised, scaled', 717, { normalise: false, weightScale: 2.5 }),
  expertsUpCase('130 experts, 8 used', 718, { nExperts: 130, nUsed: 8, types: ['Q4_0', 'Q4_0'] }),
  expertsUpCase('outliers of 1e4', 719, { outliers: true, types: ['Q4_0', 'Q4_0'] }),
  expertsUpCase('an absent expert', 720, { absentRank: 1 }),
  expertsUpCase('an absent expert after an earlier miss', 721, { absentRank: 0, missBefore: 2 }),
  expertsUpCase('a margin that nobody needs', 722, { margin: 0.75, logits: falling }),
  expertsUpCase('the K-th best is replaced', 723, { margin: 0.75, logits: falling, absentExperts: [2] }),
  expertsUpCase('a margin just too small', 724, { margin: 0.499, logits: falling, absentExperts: [2], missBefore: 2 }),
  expertsUpCase('equal standings go to the lower id', 725, { margin: 0.5, logits: falling, absentExperts: [2] }),
  expertsUpCase('one replaced, one missed', 726, { margin: 0.75, logits: falling, absentExperts: [0, 2] }),
  expertsUpCase('nobody has a slot', 727, { margin: 1, logits: falling, absentExperts: [0, 1, 2, 3, 4, 5] }),
  expertsUpCase('all are replaced, not normalised', 728, {
    margin: 9,
    logits: falling,
    absentExperts: [0, 1, 2],
    normalise: false,
  }),
  expertsUpCase('equal logits, some without a slot', 729, { margin: 0.1, logits: equal, nExperts: 7, absentExperts: [0, 2] }),
  expertsUpCase('a margin, two shards, many experts', 730, {
    ...{ margin: 1, nShards: 2, nExperts: 40, nUsed: 7, logits: pairsOfEqual },
    absentExperts: Array.from({ length: 20 }, (_, i) => 2 * i),
  }),
  expertsUpCase('a margin above everything', 732, { margin: 1e6, absentExperts: [3, 5] }),
  expertsUpCase('sigmoid with a bias', 740, { sigmoid: {}, nExperts: 9 }),
  expertsUpCase('sigmoid, not normalised, scaled', 741, { sigmoid: {}, normalise: false, weightScale: 2.5 }),
  expertsUpCase('2 of 4 groups', 742, { sigmoid: { groups: { count: 4, used: 2 } }, nExperts: 16, nUsed: 4 }),
  expertsUpCase('1 of 3 groups of two, all of it', 743, { sigmoid: { groups: { count: 3, used: 1 } }, nUsed: 2 }),
  expertsUpCase('4 of 8 groups, 256 experts, 8 used', 744, {
    sigmoid: { groups: { count: 8, used: 4 } },
    ...{ nExperts: 256, nUsed: 8, width: 32, weightScale: 2.5, types: ['Q4_0', 'Q4_0'] },
  }),
  expertsUpCase('32 groups', 745, { sigmoid: { groups: { count: 32, used: 3 } }, nExperts: 64, nUsed: 5, width: 32 }),
  expertsUpCase('groups, equal logits', 746, { sigmoid: { groups: { count: 4, used: 2 } }, nExperts: 16, logits: equal }),
  expertsUpCase('groups, logits of ±1e4', 747, {
    sigmoid: { groups: { count: 4, used: 2 } },
    ...{ nExperts: 16, logits: (random: CaseRandom, n: number) => random.normals(n, 1e4) },
  }),
  expertsUpCase('groups, an absent expert', 748, { sigmoid: { groups: { count: 3, used: 2 } }, absentRank: 1 }),
  expertsUpCase('groups and a margin', 749, {
    sigmoid: { groups: { count: 4, used: 2 } },
    ...{ nExperts: 16, nUsed: 4, margin: 1, absentExperts: [0, 3, 5, 6, 9, 10, 14] },
  }),
  expertsUpCase('biases and the clamped activation, an absent expert, 4 of 32, an odd width', 760, {
    ...{ biases: true, activation: 'clamped-swiglu', types: ['Q4_0', 'Q4_0'], absentRank: 1 },
    ...{ width: 33, nExperts: 32, nUsed: 4, nShards: 2 },
  }),
  expertsUpCase('the clamped activation, outliers of 1e4', 761, { activation: 'clamped-swiglu', outliers: true }),
  expertsUpCase('a margin, one expert used', 731, { margin: 1, nUsed: 1, logits: falling, absentExperts: [0] }),
];
