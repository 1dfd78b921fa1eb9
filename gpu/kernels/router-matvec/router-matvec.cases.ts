/** Cases of `router-matvec`: router types, with shared expert (with and without output gate), scores of sigmoid routers, a bias of the logits, outliers, expert counts off every tile. */
import type { ComputeType } from '../../quant/types.ts';
import { selectionScores } from '../../reference/ops/routing.ts';
import { CaseRandom, caseMatrix, joinPlanes, type Expected, type KernelCase } from '../cases.ts';
import { laneVariant } from '../lanes.ts';
import { SUM_TOLERANCE, TYPES, withOutliers } from '../prefill-shared/case-helpers.ts';
import { routedLayout, routerMatvecKernel } from './router-matvec.ts';
import { routerMatvecRef } from './router-matvec.ref.ts';

interface RouterCase {
  readonly type: ComputeType;
  readonly nExperts?: number;
  readonly shared?: { readonly types: readonly [gate: ComputeType, up: ComputeType]; readonly outputGate?: ComputeType };
  readonly outliers?: boolean;
  /** A sigmoid router, with a bias or without. */
  readonly scores?: 'biased' | 'plain';
  readonly bias?: true;
}

const GATING = { gating: 'sigmoid', nExpertsUsed: 1, normalise: false, weightScale: 1 } as const;

function routerCase(
  name: string,
  seed: number,
  { type, nExperts = 9, shared, outliers, scores, ...options }: RouterCase,
): KernelCase {
  return {
    name: `router-matvec: ${name}`,
    make(capabilities) {
      const random = new CaseRandom(seed);
      const [modelWidth, width] = [256, 70];
      const router = caseMatrix(random, type, nExperts, modelWidth);
      const hMid = outliers ? withOutliers(random, modelWidth) : random.normals(modelWidth);
      const norm = random.normals(modelWidth);
      const gate = caseMatrix(random, shared?.types[0] ?? 'F32', width, modelWidth);
      const up = caseMatrix(random, shared?.types[1] ?? 'F32', width, modelWidth);
      const outputGate = caseMatrix(random, shared?.outputGate ?? 'F32', 1, modelWidth);
      const { bytes, basesVec4 } = joinPlanes([gate.planes, up.planes, outputGate.planes]);
      const logitBias = random.normals(nExperts);
      const logitBiasAt = 8 + modelWidth + 4 * Math.ceil(nExperts / 4);
      const { program, grid } = routerMatvecKernel(
        {
          type,
          nExperts,
          modelWidth,
          norm: 8,
          epsilon: 1e-6,
          bias: options.bias && logitBiasAt,
          scores: scores && { bias: scores === 'biased' ? 8 + modelWidth : -1 },
          shared: shared && {
            width,
            gate: { type: gate.type, baseVec4: basesVec4[0] },
            up: { type: up.type, baseVec4: basesVec4[1] },
            outputGate: shared.outputGate && { type: outputGate.type, baseVec4: basesVec4[2] },
          },
        },
        laneVariant(capabilities),
      );
      const want = routerMatvecRef({
        hMid,
        norm,
        epsilon: Math.fround(1e-6),
        router: router.values,
        bias: options.bias && logitBias,
        shared: shared && {
          gate: gate.values,
          up: up.values,
          ...(shared.outputGate && { outputGate: outputGate.values }),
        },
      });
      const layout = routedLayout(nExperts, shared ? width : 0, scores ? 'sigmoid' : 'softmax');
      const bias = random.normals(nExperts, 0.3);
      const near = (values: Float64Array): Expected => ({ type: 'f32', values, tolerance: SUM_TOLERANCE });
      const parts = [{ offsetBytes: 0, expected: near(want.logits) }];
      if (scores) {
        const selectionBias = scores === 'biased' ? bias : undefined;
        parts.push({
          offsetBytes: 4 * layout.scores,
          expected: near(selectionScores(want.logits, { ...GATING, selectionBias })),
        });
      }
      if (want.shared) parts.push({ offsetBytes: 4 * layout.sharedHidden, expected: near(want.shared.hidden) });
      if (want.shared?.gateLogit !== undefined)
        parts.push({ offsetBytes: 4 * layout.gateLogit, expected: near(Float64Array.of(want.shared.gateLogit)) });
      const vectors = new Float32Array(logitBiasAt + nExperts + 3);
      vectors.set(random.normals(8));
      vectors.set(norm, 8);
      vectors.set(bias, 8 + modelWidth);
      vectors.set(logitBias, logitBiasAt);
      return {
        program,
        grid,
        bindings: [
          { input: router.planes },
          { input: shared ? bytes : router.planes },
          { input: vectors },
          { input: hMid },
          { initial: random.normals(layout.length), expected: { type: 'parts', parts } },
        ],
        bytes: router.planes.length + (shared ? bytes.length : 0) + 4 * modelWidth,
        flops: 2 * modelWidth * (nExperts + (shared ? 2 * width : 0)),
      };
    },
  };
}

export const routerMatvecCases: readonly KernelCase[] = [
  ...TYPES.map((type, i) => routerCase(type, 400 + i, { type })),
  routerCase('shared expert', 410, { type: 'F32', shared: { types: ['Q8_0', 'Q8_0'] } }),
  routerCase('shared expert of two types with output gate', 411, {
    type: 'F32',
    shared: { types: ['Q4_K', 'Q6_K'], outputGate: 'F16' },
  }),
  routerCase('outliers of 1e4', 412, { type: 'F32', outliers: true, shared: { types: ['Q4_0', 'Q4_0'], outputGate: 'F32' } }),
  routerCase('one expert', 413, { type: 'F32', nExperts: 1 }),
  routerCase('130 experts', 414, { type: 'F32', nExperts: 130 }),
  routerCase('a bias of the logits', 418, { type: 'F32', bias: true }),
  routerCase('sigmoid scores', 415, { type: 'F32', scores: 'plain' }),
  routerCase('sigmoid scores with a bias', 416, { type: 'F32', nExperts: 18, scores: 'biased' }),
  routerCase('sigmoid scores beside a shared expert', 417, {
    type: 'F32',
    scores: 'biased',
    shared: { types: ['Q8_0', 'Q8_0'] },
  }),
];
