/** `llama`: Llama 1 to 3, Mistral, SmolLM (dense) and Mixtral (experts). Source: llama.cpp src/models/llama.cpp. */
import { readAttention, readDenseFfn, readExperts, readMoeSpec } from './blocks.ts';
import { LIMITS, type Architecture } from './context.ts';

export const llama: Architecture = {
  name: 'llama',
  pairing: 'interleaved',
  qkNorm: 'none',
  ropeFactors: true,
  mayTieHead: true,
  readLayer(context, index) {
    const { metadata, tensors, modelWidth } = context;
    const isMoe = (metadata.optionalCount('expert_count', { ...LIMITS.experts, least: 0 }) ?? 0) > 0;
    return {
      index,
      attention: readAttention(context, index, { qkNorm: 'none', qkvBias: true, outputBias: true }),
      ffnNorm: tensors.vector(`blk.${index}.ffn_norm.weight`, modelWidth),
      ffn: isMoe
        ? readExperts(
            context,
            index,
            readMoeSpec(context, {
              expertWidth: metadata.count('feed_forward_length', LIMITS.width),
              normalise: true,
              sharedWidth: 0,
            }),
          )
        : readDenseFfn(context, index),
    };
  },
};
