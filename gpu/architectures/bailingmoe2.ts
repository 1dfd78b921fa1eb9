/**
 * `bailingmoe2`: Ling and Ring 2.0 (16B-A1.4B and larger): dense layers first, then fine-grained experts in groups behind a sigmoid router with a
 * bias for the choice, shared experts beside them; q/k norm per head, half of each head rotates. Source: llama.cpp src/models/bailingmoe2.cpp.
 */
import { isLeadingDense, readAttention, readDenseFfn, readExperts, readSharedExpert, readSigmoidMoeSpec } from './blocks.ts';
import { LIMITS, type Architecture } from './context.ts';

export const bailingmoe2: Architecture = {
  name: 'bailingmoe2',
  pairing: 'halves',
  qkNorm: 'per-head',
  ropeFactors: false,
  mayTieHead: false,
  readLayer(context, index) {
    const { metadata, tensors, modelWidth } = context;
    const layer = {
      index,
      attention: readAttention(context, index, { qkNorm: 'per-head', qkvBias: false, outputBias: false }),
      ffnNorm: tensors.vector(`blk.${index}.ffn_norm.weight`, modelWidth),
    };
    if (isLeadingDense(context, index)) return { ...layer, ffn: readDenseFfn(context, index) };
    const expertWidth = metadata.count('expert_feed_forward_length', LIMITS.width);
    const own = metadata.optionalCount('expert_shared_feed_forward_length', { ...LIMITS.width, least: 0 });
    const sharedWidth = (own || expertWidth) * metadata.count('expert_shared_count', { least: 1, most: 64 });
    const moe = readSigmoidMoeSpec(context, { expertWidth, sharedWidth });
    return { ...layer, ffn: { ...readExperts(context, index, moe), shared: readSharedExpert(context, index, sharedWidth) } };
  },
};
