/** Reference of `expert-repack`: the planes of each job of one type, at their places in the shard. */
import { quantFormat } from '../../quant/formats.ts';
import { toPlanes } from '../../quant/planes.ts';
import type { ComputeType } from '../../quant/types.ts';
import type { RepackJob } from './expert-repack.ts';

export function expertRepackRef(
  staged: Uint8Array,
  jobs: readonly RepackJob[],
  type: ComputeType,
  shard: Uint8Array,
): Uint8Array {
  const out = shard.slice();
  for (const job of jobs.filter((other) => other.type === type)) {
    const format = quantFormat(type);
    const blocks = staged.subarray(job.blocksAtBytes, job.blocksAtBytes + job.nBlocks * format.blockBytes);
    out.set(toPlanes(format, blocks, job.nBlocks), job.planesAtBytes);
  }
  return out;
}
