/** Cases of `embed-rows`: every tensor type, a shard that holds only some of the tokens. Dequantising is exact. */
import { CaseRandom, caseMatrix, type KernelCase } from '../cases.ts';
import { TYPES } from '../prefill-shared/case-helpers.ts';
import { chunkBytes } from '../prefill-shared/chunk.ts';
import { toPlanes } from '../../quant/planes.ts';
import { quantFormat } from '../../quant/formats.ts';
import { embedRowsGrid, embedRowsParams, embedRowsProgram } from './embed-rows.ts';
import { embedRowsRef } from './embed-rows.ref.ts';
import type { ComputeType } from '../../quant/types.ts';

const EXACT = { nmse: 1e-14, reason: 'dequantising and scaling are two multiplications and one addition in f32' };

function embedCase(name: string, type: ComputeType, modelWidth: number, nTokens: number, seed: number, scale = 1): KernelCase {
  return {
    name: `embed-rows: ${name}`,
    make() {
      const random = new CaseRandom(seed);
      const vocabularySize = 50;
      const matrix = caseMatrix(random, type, vocabularySize, modelWidth, 1);
      const tokens = Uint32Array.from({ length: nTokens }, () => random.integer(vocabularySize));
      return {
        program: embedRowsProgram(type, modelWidth, scale),
        grid: embedRowsGrid(modelWidth, nTokens),
        bindings: [
          { input: chunkBytes(nTokens, 7) },
          { input: embedRowsParams({ first_row: 0, rows: vocabularySize }) },
          { input: matrix.planes },
          { input: tokens },
          { expected: { type: 'f32', values: embedRowsRef(matrix.values, modelWidth, tokens, scale), tolerance: EXACT } },
        ],
        bytes: nTokens * modelWidth * 8,
        flops: nTokens * modelWidth * 2,
      };
    },
  };
}

/** Two shards of the table: only rows 20 … 49 are bound; what other tokens' rows held before must stay. */
const shardCase: KernelCase = {
  name: 'embed-rows: a shard leaves the rows of others alone',
  make() {
    const random = new CaseRandom(9);
    const [modelWidth, vocabularySize, firstRow] = [64, 50, 20];
    const matrix = caseMatrix(random, 'F32', vocabularySize, modelWidth, 1);
    const rows = vocabularySize - firstRow;
    const shard = matrix.values.slice(firstRow * modelWidth);
    const planes = toPlanes(quantFormat('F32'), new Uint8Array(shard.buffer), shard.length);
    const tokens = Uint32Array.of(0, 19, 20, 49, 3, 21);
    const initial = random.normals(tokens.length * modelWidth);
    const want = embedRowsRef(matrix.values, modelWidth, tokens, 1);
    tokens.forEach((id, token) => {
      if (id < firstRow) want.set(initial.subarray(token * modelWidth, (token + 1) * modelWidth), token * modelWidth);
    });
    return {
      program: embedRowsProgram('F32', modelWidth, 1),
      grid: embedRowsGrid(modelWidth, tokens.length),
      bindings: [
        { input: chunkBytes(tokens.length, 0) },
        { input: embedRowsParams({ first_row: firstRow, rows }) },
        { input: planes },
        { input: tokens },
        { expected: { type: 'f32', values: want, tolerance: EXACT }, initial },
      ],
      bytes: tokens.length * modelWidth * 8,
      flops: 0,
    };
  },
};

export const embedRowsCases: readonly KernelCase[] = [
  ...TYPES.map((type, i) => embedCase(type, type, 256, 9, 100 + i)),
  embedCase('one token', 'Q4_0', 96, 1, 120),
  embedCase('scaled', 'Q8_0', 96, 5, 121, 12 / 0.22),
  shardCase,
];
