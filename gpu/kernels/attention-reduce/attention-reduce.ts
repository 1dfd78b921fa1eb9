/** `attention-reduce`: the splits of one token become its attention output. */
import { composeProgram } from '../../device/compose.ts';
import stateWgsl from '../../wgsl/state.wgsl';
import { attentionLayout, SPLIT_TOKENS, type AttentionShape } from '../attention-decode/attention-decode.ts';
import type { KernelInstance } from '../lanes.ts';
import body from './attention-reduce.wgsl';

const WORKGROUP_SIZE = 64;

/** Bindings: state, attention (attentionLayout). Only for contexts of more than one split. */
export function attentionReduceKernel(shape: Pick<AttentionShape, 'nHeads' | 'headWidth' | 'contextTokens'>): KernelInstance {
  const layout = attentionLayout(shape);
  const program = composeProgram({
    name: 'attention-reduce',
    body,
    bindings: ['read', 'read-write'],
    consts: {
      WORKGROUP_SIZE,
      N_HEADS: shape.nHeads,
      HEAD_WIDTH: shape.headWidth,
      SPLIT_TOKENS,
      PARTIALS_AT: layout.partials,
      SUMS_AT: layout.sums,
    },
    snippets: [stateWgsl],
  });
  return { program, grid: [Math.ceil((shape.nHeads * shape.headWidth) / 2 / WORKGROUP_SIZE), 1, 1] };
}
