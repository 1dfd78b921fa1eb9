/** Cases of `expert-repack`: exact, word for word, in a shard whose other bytes stay. */
import { quantFormat } from '../../quant/formats.ts';
import { planesSizeBytes } from '../../quant/planes.ts';
import { COMPUTE_TYPES, type ComputeType } from '../../quant/types.ts';
import { CaseRandom, type KernelCase } from '../cases.ts';
import {
  expertRepackGrid,
  expertRepackProgram,
  REPACK_HEADER_BYTES,
  writeRepackHeader,
  type RepackJob,
} from './expert-repack.ts';
import { expertRepackRef } from './expert-repack.ref.ts';

const aligned = (bytes: number, to: number) => Math.ceil(bytes / to) * to;

/** Gate and up in `type`, down in `downType`; the dispatch of `type`. Blocks are any bytes. */
function repackCase(
  name: string,
  type: ComputeType,
  downType: ComputeType,
  nBlocks: readonly number[],
  seed: number,
): KernelCase {
  return {
    name: `expert-repack: ${name}`,
    make() {
      const random = new CaseRandom(seed);
      let [at, slotAt] = [REPACK_HEADER_BYTES, 512]; // the slot begins somewhere in the shard
      const jobs = [type, type, downType].map((jobType, i): RepackJob => {
        const format = quantFormat(jobType);
        const job = { type: jobType, blocksAtBytes: at, planesAtBytes: slotAt, nBlocks: nBlocks[i] };
        at = aligned(at + nBlocks[i] * format.blockBytes, 16);
        slotAt += planesSizeBytes(format, nBlocks[i] * format.blockWeights);
        return job;
      });
      const staged = Uint8Array.from({ length: at }, () => random.integer(256));
      staged.fill(0, 0, REPACK_HEADER_BYTES);
      writeRepackHeader(staged, jobs);
      const shard = Uint8Array.from({ length: slotAt + 256 }, () => random.integer(256));
      return {
        program: expertRepackProgram(type),
        grid: expertRepackGrid(slotAt),
        bindings: [
          { input: staged },
          {
            expected: { type: 'u32', values: new Uint32Array(expertRepackRef(staged, jobs, type, shard).buffer) },
            initial: shard,
          },
        ],
        bytes: 2 * at,
        flops: 0,
      };
    },
  };
}

export const expertRepackCases: readonly KernelCase[] = [
  ...COMPUTE_TYPES.map((type, i) => repackCase(type, type, type, [24, 24, 24], 900 + i)),
  ...COMPUTE_TYPES.map((type, i) =>
    repackCase(`${type}, odd numbers of blocks, another type beside it`, type, 'Q6_K', [7, 1, 3], 920 + i),
  ),
  repackCase('Q4_0, more words than invocations', 'Q4_0', 'Q6_K', [3001, 2999, 40], 940),
];
