/** RoPE from metadata: base, linear scaling, frequency factors. YaRN and LongRoPE are refused. */
import { LIMITS, type Architecture, type ReadContext } from './context.ts';
import type { RopeSpec } from './types.ts';

/** llama.cpp's default where the file has no `rope.freq_base`. */
const DEFAULT_BASE = 10000;

export function readRope(context: ReadContext, architecture: Architecture): RopeSpec {
  const { metadata, tensors, headWidth } = context;
  const dims = metadata.optionalCount('rope.dimension_count', LIMITS.width) ?? headWidth;
  if (dims % 2 !== 0 || dims > headWidth)
    metadata.refuse('rope.dimension_count', `an even number up to the head width ${headWidth} is needed`);
  const base = metadata.optionalNumber('rope.freq_base') ?? DEFAULT_BASE;
  if (base <= 0) metadata.refuse('rope.freq_base', 'a positive number is needed');
  return {
    pairing: architecture.pairing,
    dims,
    base,
    scale: linearScale(context),
    factorsTensor: architecture.ropeFactors ? tensors.optionalVector('rope_freqs.weight', dims / 2) : undefined,
  };
}

/** 1 / factor. The type `none` switches scaling off; without a type it is linear, as in llama.cpp. */
function linearScale({ metadata }: ReadContext): number {
  const type = metadata.optionalText('rope.scaling.type') ?? 'linear';
  if (type !== 'none' && type !== 'linear') metadata.refuse('rope.scaling.type', 'only "none" and "linear" are supported');
  if ((metadata.optionalNumber('rope.scaling.attn_factor') ?? 1) !== 1)
    metadata.refuse('rope.scaling.attn_factor', 'only 1 is supported');
  const key = metadata.has('rope.scaling.factor') ? 'rope.scaling.factor' : 'rope.scale_linear'; // the older name
  const factor = metadata.optionalNumber(key) || 1;
  if (factor < 0) metadata.refuse(key, 'a positive number is needed');
  return type === 'none' ? 1 : 1 / factor;
}
