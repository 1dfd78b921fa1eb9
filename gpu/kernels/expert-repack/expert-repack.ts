/** `expert-repack`: an expert's GGUF blocks, as read from the file, into the planes of its slot. */
import { composeProgram } from '../../device/compose.ts';
import type { KernelProgram } from '../../device/types.ts';
import { invariant } from '../../invariant.ts';
import { quantFormat } from '../../quant/formats.ts';
import { COMPUTE_TYPES, type ComputeType } from '../../quant/types.ts';
import type { Grid } from '../prefill-shared/chunk.ts';
import body from './expert-repack.wgsl';

export interface RepackJob {
  readonly type: ComputeType;
  /** Bytes from the start of the staged bytes to the blocks, a multiple of 4. */
  readonly blocksAtBytes: number;
  /** Bytes from the start of the shard to the planes, a multiple of 16. */
  readonly planesAtBytes: number;
  readonly nBlocks: number;
}

/** The staged bytes begin with this: the jobs of gate, up and down. */
export const REPACK_HEADER_BYTES = 256;
const JOB_WORDS = 4;
const WORKGROUP_SIZE = 64;
const MAX_WORKGROUPS = 128;
const MAX_PLANES = 4;

/** Bindings: staged bytes, shard. One per tensor type: a dispatch serves the jobs of its type. */
export function expertRepackProgram(type: ComputeType): KernelProgram {
  const { planes, blockBytes } = quantFormat(type);
  invariant(planes.length <= MAX_PLANES && planes.every((runs) => runs.length === 1), `${type}: a plane is one run of a block`);
  const plane = (p: number) => planes[p]?.[0] ?? { offsetBytes: 0, lengthBytes: 2 };
  const isEven = [blockBytes, ...planes.flat().flatMap((run) => [run.offsetBytes, run.lengthBytes])].every((n) => n % 2 === 0);
  const consts = Object.fromEntries(
    Array.from({ length: MAX_PLANES }, (_, p) => [
      [`PLANE_${p}_BYTES`, plane(p).lengthBytes],
      [`PLANE_${p}_RUN`, plane(p).offsetBytes],
    ]).flat(),
  ) as Record<string, number>;
  return composeProgram({
    name: 'expert-repack',
    body,
    bindings: ['read', 'read-write'],
    consts: {
      WORKGROUP_SIZE,
      KIND: kindOf(type),
      BLOCK_BYTES: blockBytes,
      PIECE_BYTES: isEven ? 2 : 1,
      N_PLANES: planes.length,
      ...consts,
    },
  });
}

/** `planesBytes`: of the largest job. */
export function expertRepackGrid(planesBytes: number): Grid {
  return [Math.max(1, Math.min(MAX_WORKGROUPS, Math.ceil(planesBytes / (4 * WORKGROUP_SIZE)))), 3, 1];
}

/** Writes the header of three jobs. */
export function writeRepackHeader(target: Uint8Array, jobs: readonly RepackJob[]): void {
  invariant(jobs.length * JOB_WORDS * 4 <= REPACK_HEADER_BYTES, `${jobs.length} jobs in a header`);
  const words = new Uint32Array(target.buffer, target.byteOffset, REPACK_HEADER_BYTES / 4);
  jobs.forEach(({ type, blocksAtBytes, planesAtBytes, nBlocks }, i) => {
    words.set([blocksAtBytes / 4, planesAtBytes / 4, nBlocks, kindOf(type)], i * JOB_WORDS);
  });
}

function kindOf(type: ComputeType): number {
  return COMPUTE_TYPES.indexOf(type);
}
