/** Blocks that several architectures share: attention, dense FFN, mixture of experts. Tensor names are those of llama.cpp (src/llama-arch.cpp). */
import { engineError } from '../errors.ts';
import { LIMITS, type ReadContext } from './context.ts';
import type { AttentionTensors, DenseFfnTensors, ExpertGroups, ExpertSlice, ModelSpec, MoeFfnTensors, MoeSpec } from './types.ts';

export interface AttentionOptions {
  readonly qkNorm: ModelSpec['qkNorm'];
  /** Whether q, k and v may have biases, and the output projection. */
  readonly qkvBias: boolean;
  readonly outputBias: boolean;
  readonly sinks?: boolean;
  readonly windowTokens?: number;
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
    ...readQkv(context, name, qRows, kvRows),
    qBias: bias(options.qkvBias, 'attn_q', qRows),
    kBias: bias(options.qkvBias, 'attn_k', kvRows),
    vBias: bias(options.qkvBias, 'attn_v', kvRows),
    output: tensors.matrix(name('attn_output.weight'), modelWidth, qRows),
    outputBias: bias(options.outputBias, 'attn_output', modelWidth),
    qNorm: norms && tensors.vector(name('attn_q_norm.weight'), norms[0]),
    kNorm: norms && tensors.vector(name('attn_k_norm.weight'), norms[1]),
    sinks: options.sinks ? tensors.vector(name('attn_sinks.weight'), context.nHeads) : undefined,
    windowTokens: options.windowTokens,
  };
}

/** Three matrices, or one whose rows are those of q, k and v. */
function readQkv({ tensors, modelWidth }: ReadContext, name: (part: string) => string, qRows: number, kvRows: number) {
  const fused = name('attn_qkv.weight');
  if (tensors.has(fused)) {
    const [q, k, v] = tensors.rowsOf(fused, [qRows, kvRows, kvRows], modelWidth);
    return { q, k, v };
  }
  return {
    q: tensors.matrix(name('attn_q.weight'), qRows, modelWidth),
    k: tensors.matrix(name('attn_k.weight'), kvRows, modelWidth),
    v: tensors.matrix(name('attn_v.weight'), kvRows, modelWidth),
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
  /** Default `silu`. */
  readonly activation?: MoeSpec['activation'];
}

/** Values of `expert_gating_func` in llama.cpp. */
const GATING = { softmax: 1, sigmoid: 2 } as const;

function readExpertCounts({ metadata }: ReadContext) {
  const nExperts = metadata.count('expert_count', LIMITS.experts);
  return { nExperts, nExpertsUsed: metadata.count('expert_used_count', { least: 1, most: nExperts }) };
}

/** The numbers of a softmax-gated mixture; refuses files that gate in another way. */
export function readMoeSpec(context: ReadContext, options: MoeOptions): MoeSpec {
  const { metadata } = context;
  const counts = readExpertCounts(context);
  if ((metadata.optionalNumber('expert_gating_func') ?? GATING.softmax) !== GATING.softmax)
    metadata.refuse('expert_gating_func', `only softmax gating (${GATING.softmax}) is supported for this architecture`);
  if ((metadata.optionalNumber('expert_group_count') ?? 1) > 1)
    metadata.refuse('expert_group_count', 'expert groups are not supported for this architecture');
  if ((metadata.optionalFlag('expert_weights_norm') ?? options.normalise) !== options.normalise)
    metadata.refuse('expert_weights_norm', `${options.normalise} is what this architecture computes with`);
  if (![0, 1].includes(metadata.optionalNumber('expert_weights_scale') ?? 1))
    metadata.refuse('expert_weights_scale', 'only 0 or 1 is supported for this architecture');
  return { activation: 'silu', ...counts, ...options, gating: 'softmax', weightScale: 1 };
}

/**
 * The numbers of a mixture whose router gates each expert by a sigmoid, as DeepSeek-V3 has it: perhaps a scale on the weights and experts in
 * groups, all of it said by the file.
 */
export function readSigmoidMoeSpec(context: ReadContext, options: Omit<MoeOptions, 'normalise'>): MoeSpec {
  const { metadata } = context;
  const counts = readExpertCounts(context);
  if ((metadata.optionalNumber('expert_gating_func') ?? GATING.sigmoid) !== GATING.sigmoid)
    metadata.refuse('expert_gating_func', `only sigmoid gating (${GATING.sigmoid}) is supported for this architecture`);
  return {
    activation: 'silu',
    ...counts,
    ...options,
    gating: 'sigmoid',
    normalise: metadata.optionalFlag('expert_weights_norm') ?? false,
    weightScale: metadata.optionalNumber('expert_weights_scale') || 1, // llama.cpp takes 0 for none
    groups: readGroups(context, counts),
  };
}

/** A kernel keeps the groups that it has chosen in the bits of one word. */
const MOST_GROUPS = 32;

function readGroups(
  { metadata }: ReadContext,
  { nExperts, nExpertsUsed }: ReturnType<typeof readExpertCounts>,
): ExpertGroups | undefined {
  const count = metadata.optionalCount('expert_group_count', { least: 0, most: MOST_GROUPS }) ?? 1;
  if (count <= 1) return undefined;
  const size = nExperts / count;
  if (!Number.isInteger(size) || size < 2)
    metadata.refuse('expert_group_count', `a number that divides the ${nExperts} experts into groups of two or more is needed`);
  const used = metadata.count('expert_group_used_count', { least: 1, most: count });
  if (used * size < nExpertsUsed)
    metadata.refuse('expert_group_used_count', `groups of ${size} must hold the ${nExpertsUsed} experts that are used`);
  return { count, used };
}

/** Whether layer `index` is one of the dense layers that some mixtures begin with. */
export function isLeadingDense({ metadata }: ReadContext, index: number): boolean {
  return index < (metadata.optionalCount('leading_dense_block_count', { ...LIMITS.layers, least: 0 }) ?? 0);
}

/** A shared expert without a gate of its own: it is added as it is. */
export function readSharedExpert(
  { tensors, modelWidth }: ReadContext,
  index: number,
  width: number,
): NonNullable<MoeFfnTensors['shared']> {
  return {
    gate: tensors.matrix(`blk.${index}.ffn_gate_shexp.weight`, width, modelWidth),
    up: tensors.matrix(`blk.${index}.ffn_up_shexp.weight`, width, modelWidth),
    down: tensors.matrix(`blk.${index}.ffn_down_shexp.weight`, modelWidth, width),
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
    selectionBias: moe.gating === 'sigmoid' ? tensors.optionalVector(`blk.${index}.exp_probs_b.bias`, nExperts) : undefined,
    gate: projection('gate', expertWidth, modelWidth),
    up: projection('up', expertWidth, modelWidth),
    down: projection('down', modelWidth, expertWidth),
  };
}

/** What is added to the rows of the router and of the experts that `readExperts` has read. */
export function readExpertBiases(
  { tensors, modelWidth }: ReadContext,
  index: number,
  { nExperts, expertWidth }: MoeSpec,
): Required<Pick<MoeFfnTensors, 'routerBias' | 'biases'>> {
  const biases = (part: string, rows: number) => tensors.vectors(`blk.${index}.ffn_${part}_exps.bias`, nExperts, rows);
  return {
    routerBias: tensors.vector(`blk.${index}.ffn_gate_inp.bias`, nExperts),
    biases: { gate: biases('gate', expertWidth), up: biases('up', expertWidth), down: biases('down', modelWidth) },
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
