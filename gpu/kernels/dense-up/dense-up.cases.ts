/** Cases of `dense-up`: every tensor type, two types, outliers, widths off every tile. */
import type { ComputeType } from '../../quant/types.ts';
import { CaseRandom, caseMatrix, joinF32, joinPlanes, type KernelCase } from '../cases.ts';
import { laneVariant } from '../lanes.ts';
import { SUM_TOLERANCE, TYPES, withOutliers } from '../prefill-shared/case-helpers.ts';
import { denseUpKernel } from './dense-up.ts';
import { denseUpRef } from './dense-up.ref.ts';

function denseUpCase(
  name: string,
  seed: number,
  types: readonly [gate: ComputeType, up: ComputeType],
  { width = 70, outliers = false } = {},
): KernelCase {
  return {
    name: `dense-up: ${name}`,
    make(capabilities) {
      const random = new CaseRandom(seed);
      const modelWidth = 256;
      const [gate, up] = types.map((type) => caseMatrix(random, type, width, modelWidth));
      const { bytes, basesVec4 } = joinPlanes([gate.planes, up.planes]);
      const hMid = outliers ? withOutliers(random, modelWidth) : random.normals(modelWidth);
      const norm = random.normals(modelWidth);
      const { program, grid } = denseUpKernel(
        { modelWidth, width, types, basesVec4: [basesVec4[0], basesVec4[1]], norm: 4, epsilon: 1e-5 },
        laneVariant(capabilities),
      );
      const want = denseUpRef(hMid, norm, Math.fround(1e-5), gate.values, up.values);
      return {
        program,
        grid,
        bindings: [
          { input: bytes },
          { input: joinF32(random.normals(4), norm) },
          { input: hMid },
          { expected: { type: 'f32', values: want, tolerance: SUM_TOLERANCE } },
        ],
        bytes: bytes.length + 4 * (modelWidth + width),
        flops: 4 * modelWidth * width,
      };
    },
  };
}

export const denseUpCases: readonly KernelCase[] = [
  ...TYPES.map((type, i) => denseUpCase(type, 500 + i, [type, type])),
  denseUpCase('two types', 510, ['Q4_K', 'Q6_K']),
  denseUpCase('outliers of 1e4', 511, ['Q4_0', 'Q4_0'], { outliers: true }),
  denseUpCase('one row', 512, ['Q8_0', 'Q8_0'], { width: 1 }),
];
