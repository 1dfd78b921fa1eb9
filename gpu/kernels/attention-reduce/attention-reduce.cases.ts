/** Cases of `attention-reduce`: two and more splits, a split that counts for nothing beside another. */
import { attentionLayout, SPLIT_TOKENS } from '../attention-decode/attention-decode.ts';
import { CaseRandom, type KernelCase } from '../cases.ts';
import { FUNCTION_TOLERANCE } from '../prefill-shared/case-helpers.ts';
import { attentionReduceKernel } from './attention-reduce.ts';
import { attentionReduceRef } from './attention-reduce.ref.ts';

function reduceCase(name: string, seed: number, position: number, maxScale = 3): KernelCase {
  return {
    name: `attention-reduce: ${name}`,
    make() {
      const random = new CaseRandom(seed);
      const shape = { nHeads: 5, headWidth: 48, contextTokens: 1000 };
      const { nHeads, headWidth } = shape;
      const layout = attentionLayout(shape);
      const buffer = random.normals(layout.length);
      const partials = Array.from({ length: Math.floor(position / SPLIT_TOKENS) + 1 }, (_, split) => {
        const sums = layout.sums + 2 * split * nHeads;
        for (let head = 0; head < nHeads; head++) {
          buffer[sums + 2 * head] = Math.fround(random.normal() * maxScale);
          buffer[sums + 2 * head + 1] = Math.fround(1 + random.unit() * 40);
        }
        const at = layout.partials + split * nHeads * headWidth;
        return {
          max: Float64Array.from({ length: nHeads }, (_, head) => buffer[sums + 2 * head]),
          sum: Float64Array.from({ length: nHeads }, (_, head) => buffer[sums + 2 * head + 1]),
          weighted: Float64Array.from(buffer.subarray(at, at + nHeads * headWidth)),
        };
      });
      const { program, grid } = attentionReduceKernel(shape);
      return {
        program,
        grid,
        bindings: [
          { input: Uint32Array.of(position, 1, 0xffffffff, 0) },
          {
            initial: buffer,
            expected: { type: 'f32', values: attentionReduceRef(partials, headWidth), tolerance: FUNCTION_TOLERANCE },
          },
        ],
        bytes: 4 * partials.length * nHeads * (headWidth + 2),
        flops: 2 * partials.length * nHeads * headWidth,
      };
    },
  };
}

export const attentionReduceCases: readonly KernelCase[] = [
  reduceCase('two splits', 950, SPLIT_TOKENS),
  reduceCase('four splits', 951, 999),
  reduceCase('maxima far apart', 952, 600, 200),
];
