/** RoPE from metadata: base, linear scaling, frequency factors, YaRN where the architecture may have it. LongRoPE is refused. */
import { LIMITS, type Architecture, type ReadContext } from './context.ts';
import type { RopeSpec } from './types.ts';

/** llama.cpp's default where the file has no `rope.freq_base`. */
const DEFAULT_BASE = 10000;
/** Those of the YaRN paper for LLaMA, and of llama.cpp where the file has no others. */
const YARN_TURNS = { fastTurns: 32, slowTurns: 1 } as const;

export interface ReadRope {
  readonly rope: RopeSpec;
  /** What cosines and sines of q and of k are multiplied with: scores with its square. */
  readonly magnitude: number;
}

export function readRope(context: ReadContext, architecture: Architecture, trainedContextTokens: number): ReadRope {
  const { metadata, tensors, headWidth } = context;
  const dims = metadata.optionalCount('rope.dimension_count', LIMITS.width) ?? headWidth;
  if (dims % 2 !== 0 || dims > headWidth)
    metadata.refuse('rope.dimension_count', `an even number up to the head width ${headWidth} is needed`);
  const base = metadata.optionalNumber('rope.freq_base') ?? DEFAULT_BASE;
  if (base <= 0) metadata.refuse('rope.freq_base', 'a positive number is needed');
  const { type, scale } = readScaling(context, architecture);
  const rope: RopeSpec = {
    pairing: architecture.pairing,
    dims,
    base,
    scale,
    factorsTensor: architecture.ropeFactors ? tensors.optionalVector('rope_freqs.weight', dims / 2) : undefined,
  };
  if (type !== 'yarn') return { rope, magnitude: 1 };
  if (dims !== headWidth)
    metadata.refuse('rope.dimension_count', `with YaRN only the whole head width ${headWidth} is supported`);
  if (base <= 1) metadata.refuse('rope.freq_base', 'with YaRN a number above 1 is needed');
  const originalContextTokens = metadata.optionalCount('rope.scaling.original_context_length', LIMITS.context);
  return {
    rope: { ...rope, yarn: { originalContextTokens: originalContextTokens ?? trainedContextTokens, ...YARN_TURNS } },
    magnitude: 1 + 0.1 * Math.log(1 / scale),
  };
}

/** 1 / factor. The type `none` switches scaling off; without a type it is linear, as in llama.cpp. */
function readScaling({ metadata }: ReadContext, { yarn }: Architecture): { readonly type: string; readonly scale: number } {
  const type = metadata.optionalText('rope.scaling.type') ?? 'linear';
  const supported = ['none', 'linear', ...(yarn ? ['yarn'] : [])];
  if (!supported.includes(type))
    metadata.refuse('rope.scaling.type', `only ${supported.map((name) => `"${name}"`).join(' and ')} are supported`);
  for (const [key, neutral] of [ATTENTION_FACTOR, ...(type === 'yarn' ? YARN_NEUTRAL : [])])
    if ((metadata.optionalNumber(key) ?? neutral) !== neutral) metadata.refuse(key, `only ${neutral} is supported`);
  const key = metadata.has('rope.scaling.factor') ? 'rope.scaling.factor' : 'rope.scale_linear'; // the older name
  const factor = metadata.optionalNumber(key) || 1;
  if (factor < 0) metadata.refuse(key, 'a positive number is needed');
  if (type === 'yarn' && factor < 1) metadata.refuse(key, 'with YaRN a number of at least 1 is needed');
  return { type, scale: type === 'none' ? 1 : 1 / factor };
}

type NeutralKey = readonly [key: string, neutral: number];
const ATTENTION_FACTOR: NeutralKey = ['rope.scaling.attn_factor', 1];
/** Keys that would change YaRN's numbers, and what they are where they change nothing. */
const YARN_NEUTRAL: readonly NeutralKey[] = [
  ['rope.scaling.yarn_ext_factor', 1],
  ['rope.scaling.yarn_attn_factor', 1],
  ['rope.scaling.yarn_beta_fast', YARN_TURNS.fastTurns],
  ['rope.scaling.yarn_beta_slow', YARN_TURNS.slowTurns],
  ['rope.scaling.yarn_log_multiplier', 0],
];
