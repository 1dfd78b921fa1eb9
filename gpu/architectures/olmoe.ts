/** `olmoe`: OLMoE: q/k norm over the whole row, top-K weights not normalised. Source: llama.cpp src/models/olmoe.cpp. */
import { readAttention, readExperts, readMoeSpec } from './blocks.ts';
import { LIMITS, type Architecture } from './context.ts';

export const olmoe: Architecture = {
  name: 'olmoe',
  pairing: 'halves',
  qkNorm: 'whole-row',
  ropeFactors: false,
  mayTieHead: false,
  readLayer(context, index) {
    const moe = readMoeSpec(context, {
      expertWidth: context.metadata.count('feed_forward_length', LIMITS.width),
      normalise: false,
      sharedWidth: 0,
    });
    return {
      index,
      attention: readAttention(context, index, { qkNorm: 'whole-row', qkvBias: false, outputBias: false }),
      ffnNorm: context.tensors.vector(`blk.${index}.ffn_norm.weight`, context.modelWidth),
      ffn: readExperts(context, index, moe),
    };
  },
};
