/**
 * `qwen2moe`: Qwen 1.5 and 2 mixtures: q/k/v biases, top-K weights not normalised, one shared expert behind a sigmoid gate.
 * Source: llama.cpp src/models/qwen2moe.cpp.
 */
import { expertWidthOrShare, readAttention, readExperts, readMoeSpec, readSharedExpert } from './blocks.ts';
import { LIMITS, type Architecture } from './context.ts';

export const qwen2moe: Architecture = {
  name: 'qwen2moe',
  pairing: 'halves',
  qkNorm: 'none',
  ropeFactors: false,
  mayTieHead: false,
  readLayer(context, index) {
    const { metadata, tensors, modelWidth } = context;
    const sharedWidth =
      metadata.optionalCount('expert_shared_feed_forward_length', { ...LIMITS.width, least: 0 }) ||
      metadata.count('feed_forward_length', LIMITS.width);
    const moe = readMoeSpec(context, { expertWidth: expertWidthOrShare(context), normalise: false, sharedWidth });
    return {
      index,
      attention: readAttention(context, index, { qkNorm: 'none', qkvBias: true, outputBias: true }),
      ffnNorm: tensors.vector(`blk.${index}.ffn_norm.weight`, modelWidth),
      ffn: {
        ...readExperts(context, index, moe),
        shared: {
          ...readSharedExpert(context, index, sharedWidth),
          outputGate: tensors.matrix(`blk.${index}.ffn_gate_inp_shexp.weight`, 1, modelWidth),
        },
      },
    };
  },
};
