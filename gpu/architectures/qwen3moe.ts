/** `qwen3moe`: Qwen 3 mixtures (30B-A3B, 235B-A22B): q/k norm per head, normalised top-K. Source: llama.cpp src/models/qwen3moe.cpp. */
import { expertWidthOrShare, readAttention, readExperts, readMoeSpec } from './blocks.ts';
import type { Architecture } from './context.ts';

export const qwen3moe: Architecture = {
  name: 'qwen3moe',
  pairing: 'halves',
  qkNorm: 'per-head',
  ropeFactors: false,
  mayTieHead: true,
  readLayer(context, index) {
    const moe = readMoeSpec(context, { expertWidth: expertWidthOrShare(context), normalise: true, sharedWidth: 0 });
    return {
      index,
      attention: readAttention(context, index, { qkNorm: 'per-head', qkvBias: true, outputBias: true }),
      ffnNorm: context.tensors.vector(`blk.${index}.ffn_norm.weight`, context.modelWidth),
      ffn: readExperts(context, index, moe),
    };
  },
};
