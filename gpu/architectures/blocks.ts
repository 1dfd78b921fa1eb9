/** Blocks that several architectures share: attention, dense FFN, mixture of experts. Tensor names are those of llama.cpp (src/llama-arch.cpp). */
import { engineError } from '../errors.ts';
import { LIMITS, type ReadContext } from './context.ts';
import type { AttentionTensors, DenseFfnTensors, ExpertSlice, ModelSpec, MoeFfnTensors, MoeSpec } from './types.ts';

export interface AttentionOptions {
  readonly qkNorm: ModelSpec['qkNorm'];
  /** Whether q, k and v may have biases, and the output projection. */
  readonly qkvBias: boolean;
  readonly outputBias: boolean;
}

export function readAttention(context: ReadContext, index: number, options: AttentionOptions): AttentionTensors {
  const { tensors, modelWidth, headWidth } = context;
  const qRows = context.nHeads * headWidth;
  const kvRows = context.nKvHeads * headWidth;
  const name = (part: string) => `blk.${index}.${part}`;
  const bias = (allowed: boolean, part: string, length: number) =>
    allowed ? tensors.optionalVector(name(`${part}.bias`), length) : undefined;
  const norms = {
    none: undefined,
    'per-head': [headWidth, headWidth],
    'whole-row': [qRows, kvRows],
  }[options.qkNorm];
  return {
    norm: tensors.vector(name('attn_norm.weight'), modelWidth),
    q: tensors.matrix(name('attn_q.weight'), qRows, modelWidth),
    k: tensors.matrix(name('attn_k.weight'), kvRows, modelWidth),
    v: tensors.matrix(name('attn_v.weight'), kvRows, modelWidth),
    qBias: bias(options.qkvBias, 'attn_q', qRows),
    kBias: bias(options.qkvBias, 'attn_k', kvRows),
    vBias: bias(options.qkvBias, 'attn_v', kvRows),
    output: tensors.matrix(name('attn_output.weight'), modelWidth, qRows),
    outputBias: bias(options.outputBias, 'attn_output', modelWidth),
    qNorm: norms && tensors.vector(name('attn_q_norm.weight'), norms[0]),
    kNorm: norms && tensors.vector(name('attn_k_norm.weight'), norms[1]),
  };
}

export function readDenseFfn(context: ReadContext, index: number): DenseFfnTensors {
  const { tensors, modelWidth } = context;
  const width = context.metadata.count('feed_forward_length', LIMITS.width);
  return {
    kind: 'dense',
    gate: tensors.matrix(`blk.${index}.ffn_gate.weight`, width, modelWidth),
    up: tensors.matrix(`blk.${index}.ffn_up.weight`, width, modelWidth),
    down: tensors.matrix(`blk.${index}.ffn_down.weight`, modelWidth, width),
    width,
  };
}

export interface MoeOptions {
  readonly expertWidth: number;
  readonly normalise: boolean;
  readonly sharedWidth: number;
}

/** The numbers of a softmax-gated mixture; refuses files that gate in another way. */
export function readMoeSpec({ metadata }: ReadContext, options: MoeOptions): MoeSpec {
  const nExperts = metadata.count('expert_count', LIMITS.experts);
  const nExpertsUsed = metadata.count('expert_used_count', { least: 1, most: nExperts });
  // 1 is softmax in llama.cpp's enumeration.
  if ((metadata.optionalNumber('expert_gating_func') ?? 1) !== 1)
    metadata.refuse('expert_gating_func', 'only softmax gating (1) is supported for this architecture');
  if ((metadata.optionalNumber('expert_group_count') ?? 1) > 1)
    metadata.refuse('expert_group_count', 'expert groups are not supported');
  if ((metadata.optionalFlag('expert_weights_norm') ?? options.normalise) !== options.normalise)
    metadata.refuse('expert_weights_norm', `${options.normalise} is what this architecture computes with`);
  return {
    nExperts,
    nExpertsUsed,
    expertWidth: options.expertWidth,
    gating: 'softmax',
    normalise: options.normalise,
    weightScale: 1,
    sharedWidth: options.sharedWidth,
  };
}

/** Router and experts: stacked tensors, or one tensor per expert in old files. */
export function readExperts(context: ReadContext, index: number, moe: MoeSpec): MoeFfnTensors {
  const { tensors, modelWidth } = context;
  const { nExperts, expertWidth } = moe;
  const projection = (part: string, rows: number, cols: number): ExpertSlice[] => {
    const stacked = `blk.${index}.ffn_${part}_exps.weight`;
    const separate = (expert: number) => `blk.${index}.ffn_${part}.${expert}.weight`;
    if (!tensors.has(stacked) && tensors.has(separate(0))) return tensors.separateExperts(separate, nExperts, rows, cols);
    return tensors.experts(stacked, nExperts, rows, cols);
  };
  return {
    kind: 'moe',
    moe,
    router: tensors.matrix(`blk.${index}.ffn_gate_inp.weight`, nExperts, modelWidth),
    gate: projection('gate', expertWidth, modelWidth),
    up: projection('up', expertWidth, modelWidth),
    down: projection('down', modelWidth, expertWidth),
  };
}

/** `expert_feed_forward_length`, or the dense width divided among the used experts, as llama.cpp has it for Qwen. */
export function expertWidthOrShare(context: ReadContext): number {
  const { metadata } = context;
  const own = metadata.optionalCount('expert_feed_forward_length', { least: 0, most: LIMITS.width.most });
  if (own) return own;
  const width = metadata.count('feed_forward_length', LIMITS.width);
  const nExpertsUsed = metadata.count('expert_used_count', LIMITS.experts);
  if (width % nExpertsUsed !== 0)
    throw engineError(
      'model.metadata',
      `${metadata.keyName('feed_forward_length')} = ${width} is not divisible by ${metadata.keyName('expert_used_count')} = ${nExpertsUsed}, ` +
        `and ${metadata.keyName('expert_feed_forward_length')} is missing.`,
      { key: metadata.keyName('expert_feed_forward_length') },
    );
  return width / nExpertsUsed;
}
