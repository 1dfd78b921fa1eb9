/**
 * `granitemoe`: Granite 3.0 and 3.1 mixtures (1B-A400M, 3B-A800M), also with a shared expert: scales on the embedding, on what blocks add to the
 * residual, on attention scores and on logits. Source: llama.cpp src/models/granite.cpp.
 */
import { readAttention, readExperts, readMoeSpec, readSharedExpert } from './blocks.ts';
import { LIMITS, type Architecture } from './context.ts';
import type { Metadata } from './metadata.ts';

export const granitemoe: Architecture = {
  name: 'granitemoe',
  pairing: 'interleaved',
  qkNorm: 'none',
  ropeFactors: true,
  mayTieHead: true,
  readScales(metadata: Metadata) {
    if (metadata.optionalFlag('rope.scaling.finetuned') === false)
      metadata.refuse('rope.scaling.finetuned', 'only models with rotary positions are supported');
    const logits = positive(metadata, 'logit_scale');
    if (logits === undefined) metadata.refuse('logit_scale', 'a positive number is needed');
    return {
      embedding: positive(metadata, 'embedding_scale') ?? 1,
      residual: positive(metadata, 'residual_scale') ?? 1,
      attention: positive(metadata, 'attention.scale'),
      logits: 1 / logits,
    };
  },
  readLayer(context, index) {
    const { metadata, tensors, modelWidth } = context;
    const expertWidth = metadata.count('feed_forward_length', LIMITS.width);
    const sharedWidth = metadata.optionalCount('expert_shared_feed_forward_length', { ...LIMITS.width, least: 0 }) ?? 0;
    const moe = readMoeSpec(context, { expertWidth, normalise: true, sharedWidth });
    return {
      index,
      attention: readAttention(context, index, { qkNorm: 'none', qkvBias: true, outputBias: true }),
      ffnNorm: tensors.vector(`blk.${index}.ffn_norm.weight`, modelWidth),
      ffn: {
        ...readExperts(context, index, moe),
        shared: sharedWidth > 0 ? readSharedExpert(context, index, sharedWidth) : undefined,
      },
    };
  },
};

/** undefined where the file says nothing, or 0, which llama.cpp takes for nothing. */
function positive(metadata: Metadata, key: string): number | undefined {
  const value = metadata.optionalNumber(key) || undefined;
  if (value !== undefined && value < 0) metadata.refuse(key, 'a positive number is needed');
  return value;
}
