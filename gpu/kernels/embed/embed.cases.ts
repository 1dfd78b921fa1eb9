/** Cases of `embed`: every tensor type, a row in a later shard, a row of another shard (nothing may be written). */
import type { ComputeType } from '../../quant/types.ts';
import { CaseRandom, caseMatrix, type KernelCase } from '../cases.ts';
import { TYPES } from '../prefill-shared/case-helpers.ts';
import { embedKernel, embedParams } from './embed.ts';
import { embedRef } from './embed.ref.ts';

const D = 256;

function embedCase(name: string, seed: number, type: ComputeType, token: number, firstRow = 0, scale = 1): KernelCase {
  return {
    name: `embed: ${name}`,
    make() {
      const random = new CaseRandom(seed);
      const rows = 5;
      const matrix = caseMatrix(random, type, rows, D);
      const { program, grid } = embedKernel({ type, modelWidth: D, scale });
      const before = random.normals(D);
      const isHere = token >= firstRow && token < firstRow + rows;
      return {
        program,
        grid,
        bindings: [
          { input: embedParams({ first_row: firstRow, n_rows: rows }) },
          { input: matrix.planes },
          { input: Uint32Array.of(17, token, 0xffffffff, 3) },
          {
            initial: before,
            expected: {
              type: 'f32',
              values: isHere ? embedRef(matrix.values, D, token - firstRow, scale) : before,
              // d·q + m may be fused by the compiler, which rounds once instead of twice.
              tolerance: { nmse: isHere ? 1e-14 : 0, reason: 'one rounding of d·q + m, one of the scale' },
            },
          },
        ],
        bytes: matrix.planes.length / rows + 4 * D,
        flops: 0,
      };
    },
  };
}

export const embedCases: readonly KernelCase[] = [
  ...TYPES.map((type, i) => embedCase(type, 100 + i, type, 3)),
  embedCase('a later shard', 110, 'Q8_0', 12, 10),
  embedCase('before the shard', 111, 'Q8_0', 9, 10),
  embedCase('after the shard', 112, 'Q8_0', 15, 10),
  embedCase('scaled', 113, 'Q8_0', 3, 0, 12 / 0.22),
];
