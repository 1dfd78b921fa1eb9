/** `sample-greedy`: the most likely token becomes the next one; commits the step. */
import { composeProgram } from '../../device/compose.ts';
import commitToken from '../../wgsl/commit-token.wgsl';
import stateWgsl from '../../wgsl/state.wgsl';
import { GROUP_ROWS } from '../head-matvec/head-matvec.ts';
import type { KernelInstance } from '../lanes.ts';
import body from './sample-greedy.wgsl';

export interface SampleShape {
  readonly vocabularySize: number; // V
  /** Word of expert rows where the routing records start, and how many ids they hold (0 for a dense model). */
  readonly recordsAt: number;
  readonly recordWords: number;
}

/** Words of a ring entry: id, position, miss layer, 0, then the record, two ids a word. */
export function ringEntryWords(recordWords: number): number {
  return 4 + Math.ceil(recordWords / 2);
}

const WORKGROUP_SIZE = 64;

/** Bindings: groups, expert rows, state, ring entry. */
export function sampleGreedyKernel(shape: SampleShape): KernelInstance {
  const program = composeProgram({
    name: 'sample-greedy',
    body,
    bindings: ['read', 'read', 'read-write', 'read-write'],
    consts: {
      WORKGROUP_SIZE,
      N_TOKENS: shape.vocabularySize,
      N_GROUPS: Math.ceil(shape.vocabularySize / GROUP_ROWS),
      RECORDS_AT: shape.recordsAt,
      RECORD_WORDS: shape.recordWords,
    },
    snippets: [stateWgsl, commitToken],
  });
  return { program, grid: [1, 1, 1] };
}
