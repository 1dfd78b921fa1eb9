/** Cases of `qkv-matvec`: every tensor type, mixed types as K-quant files have them, biases, outliers, rows off every tile. */
import type { ComputeType } from '../../quant/types.ts';
import { CaseRandom, caseMatrix, joinF32, joinPlanes, type KernelCase } from '../cases.ts';
import { laneVariant } from '../lanes.ts';
import { OTHER_TYPES, SUM_TOLERANCE, TYPES, withOutliers } from '../prefill-shared/case-helpers.ts';
import { qkvMatvecKernel } from './qkv-matvec.ts';
import { qkvMatvecRef } from './qkv-matvec.ref.ts';

interface QkvCase {
  readonly types: readonly [ComputeType, ComputeType, ComputeType];
  readonly modelWidth?: number;
  readonly qRows?: number;
  readonly kvRows?: number;
  readonly bias?: boolean;
  readonly outliers?: boolean;
}

function qkvCase(name: string, seed: number, options: QkvCase): KernelCase {
  return {
    name: `qkv-matvec: ${name}`,
    make(capabilities) {
      const random = new CaseRandom(seed);
      const { types, modelWidth = 256, qRows = 70, kvRows = 34 } = options;
      const [q, k, v] = [qRows, kvRows, kvRows].map((rows, i) => caseMatrix(random, types[i], rows, modelWidth));
      const { bytes, basesVec4 } = joinPlanes([q.planes, k.planes, v.planes]);
      const residual = options.outliers ? withOutliers(random, modelWidth) : random.normals(modelWidth);
      const norm = random.normals(modelWidth);
      const biases = [qRows, kvRows, kvRows].map((rows) => random.normals(rows));
      const before = random.normals(4); // the norm does not start the vectors
      const biasAt = (i: number) => 4 + modelWidth + [0, qRows, qRows + kvRows][i];
      const { program, grid } = qkvMatvecKernel(
        {
          modelWidth,
          qRows,
          kvRows,
          types,
          basesVec4: [basesVec4[0], basesVec4[1], basesVec4[2]],
          norm: 4,
          biases: options.bias ? [biasAt(0), biasAt(1), biasAt(2)] : null,
          epsilon: 1e-5,
        },
        laneVariant(capabilities),
      );
      const want = qkvMatvecRef({
        residual,
        norm,
        epsilon: Math.fround(1e-5),
        q: q.values,
        k: k.values,
        v: v.values,
        ...(options.bias && { qBias: biases[0], kBias: biases[1], vBias: biases[2] }),
      });
      return {
        program,
        grid,
        bindings: [
          { input: bytes },
          { input: joinF32(before, norm, ...biases) },
          { input: residual },
          { expected: { type: 'f32', values: want, tolerance: SUM_TOLERANCE } },
        ],
        bytes: bytes.length + 4 * (modelWidth + want.length),
        flops: 2 * modelWidth * want.length,
      };
    },
  };
}

const same = (type: ComputeType) => [type, type, type] as const;

export const qkvMatvecCases: readonly KernelCase[] = [
  ...TYPES.map((type, i) => qkvCase(type, 200 + i, { types: same(type) })),
  ...OTHER_TYPES.map((type, i) => qkvCase(type, 220 + i, { types: same(type) })),
  qkvCase('q and k Q4_K, v Q6_K', 210, { types: ['Q4_K', 'Q4_K', 'Q6_K'], modelWidth: 512 }),
  qkvCase('three types', 211, { types: ['Q4_0', 'F16', 'Q8_0'] }),
  qkvCase('biases', 212, { types: same('Q8_0'), bias: true }),
  qkvCase('outliers of 1e4', 213, { types: same('Q4_0'), outliers: true }),
  qkvCase('one unit a row', 214, { types: same('Q4_1'), modelWidth: 32, qRows: 33, kvRows: 1 }),
  qkvCase('odd number of units', 215, { types: same('Q8_0'), modelWidth: 32 * 19 }),
  qkvCase('more rows than workers', 216, { types: same('Q4_0'), modelWidth: 64, qRows: 9000, kvRows: 4400 }),
];
