/**
 * `gpt-oss`: gpt-oss-20b and 120b: a sink per head in the softmax, windows in every second layer, YaRN, biases everywhere, a clamped SwiGLU, weights
 * that are a softmax over the chosen logits (which is the softmax over all of them, normalised). Source: llama.cpp src/models/openai-moe.cpp.
 */
import { readAttention, readExpertBiases, readExperts, readMoeSpec } from './blocks.ts';
import { LIMITS, type Architecture } from './context.ts';
import type { Metadata } from './metadata.ts';

/** llama.cpp's default: of so many layers all but the last have windows. */
const WINDOW_PERIOD = 2;

export const gptOss: Architecture = {
  name: 'gpt-oss',
  pairing: 'halves',
  qkNorm: 'none',
  ropeFactors: false,
  mayTieHead: false,
  yarn: true,
  slidingWindow: true,
  readLayer(context, index) {
    const { metadata, tensors, modelWidth } = context;
    const windowTokens = readWindow(metadata);
    const moe = readMoeSpec(context, {
      expertWidth: metadata.count('expert_feed_forward_length', LIMITS.width),
      normalise: true,
      sharedWidth: 0,
      activation: 'clamped-swiglu',
    });
    return {
      index,
      attention: readAttention(context, index, {
        qkNorm: 'none',
        qkvBias: true,
        outputBias: true,
        sinks: true,
        windowTokens: index % WINDOW_PERIOD < WINDOW_PERIOD - 1 ? windowTokens : undefined,
      }),
      ffnNorm: tensors.vector(`blk.${index}.post_attention_norm.weight`, modelWidth),
      ffn: { ...readExperts(context, index, moe), ...readExpertBiases(context, index, moe) },
    };
  },
};

/** The same for all windowed layers. Other orders of windows, and another RoPE in them, are refused. */
function readWindow(metadata: Metadata): number {
  const period = metadata.optionalNumber('attention.sliding_window_pattern') ?? WINDOW_PERIOD;
  if (period !== WINDOW_PERIOD) metadata.refuse('attention.sliding_window_pattern', `only ${WINDOW_PERIOD} is supported`);
  const base = metadata.optionalNumber('rope.freq_base_swa');
  if (base !== undefined && base !== metadata.optionalNumber('rope.freq_base'))
    metadata.refuse('rope.freq_base_swa', 'only one RoPE for all layers is supported');
  return metadata.count('attention.sliding_window', LIMITS.context);
}
