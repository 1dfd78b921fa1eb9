/**
 * `glm4moe`: GLM 4.5 to 4.7 (Air: 106B-A12B): dense layers first, then a sigmoid router with a bias for the choice and a shared expert; q/k/v biases,
 * q/k norm in the larger models only. Source: llama.cpp src/models/glm4-moe.cpp.
 */
import {
  expertWidthOrShare,
  isLeadingDense,
  readAttention,
  readDenseFfn,
  readExperts,
  readSharedExpert,
  readSigmoidMoeSpec,
} from './blocks.ts';
import type { Architecture } from './context.ts';

export const glm4moe: Architecture = {
  name: 'glm4moe',
  pairing: 'halves',
  qkNorm: 'per-head',
  ropeFactors: false,
  mayTieHead: true,
  readLayer(context, index) {
    const { metadata, tensors, modelWidth } = context;
    const qkNorm = tensors.has('blk.0.attn_q_norm.weight') ? 'per-head' : 'none';
    const layer = {
      index,
      attention: readAttention(context, index, { qkNorm, qkvBias: true, outputBias: false }),
      ffnNorm: tensors.vector(`blk.${index}.post_attention_norm.weight`, modelWidth),
    };
    if (isLeadingDense(context, index)) return { ...layer, ffn: readDenseFfn(context, index) };
    const expertWidth = expertWidthOrShare(context);
    const nShared = metadata.count('expert_shared_count', { least: 0, most: 64 });
    const moe = readSigmoidMoeSpec(context, { expertWidth, sharedWidth: nShared * expertWidth });
    const shared = nShared > 0 ? readSharedExpert(context, index, moe.sharedWidth) : undefined;
    return { ...layer, ffn: { ...readExperts(context, index, moe), shared } };
  },
};
