/**
 * A model as the engine sees it: numbers and tensor places, no weights. Made by `architectures/` from a GGUF file;
 * compiled by `runtime/` to dispatches and interpreted by `reference/` in f64.
 *
 * Legend (see gpu/README.md): T tokens, D model width, H query heads, G key/value heads, Hd head width, E experts,
 * K experts used, F expert width, Fs shared-expert width, V vocabulary.
 */
import type { GgufFile, GgufTensor } from '../gguf/types.ts';

export type ArchitectureName = 'llama' | 'qwen2moe' | 'qwen3moe' | 'olmoe' | 'bailingmoe2' | 'glm4moe' | 'granitemoe' | 'gpt-oss';

export interface RopeSpec {
  /** `interleaved`: pairs (2i, 2i+1) (llama). `halves`: pairs (i, i + dims/2) (neox, qwen, olmoe). */
  readonly pairing: 'interleaved' | 'halves';
  /** Leading dims of each head that rotate (even, ≤ Hd). */
  readonly dims: number;
  readonly base: number;
  /** Per pair: position is multiplied by `scale` and the angle divided by `factors[i]` (rope_freqs.weight), f32 [dims/2]. */
  readonly scale: number;
  readonly factorsTensor?: GgufTensor;
  /** Pairs that turn fast keep their angle, `scale` or not. What YaRN multiplies cosines and sines with is in `attentionScale`. */
  readonly yarn?: YarnSpec;
}

/** YaRN (Peng et al. 2023, arXiv 2309.00071): which pairs are scaled goes by how often they turn in the length the model was first trained for. */
export interface YarnSpec {
  readonly originalContextTokens: number;
  /** Turns above which a pair keeps its angle, and below which it is scaled in full. */
  readonly fastTurns: number;
  readonly slowTurns: number;
}

export interface MoeSpec {
  readonly nExperts: number;
  readonly nExpertsUsed: number;
  readonly expertWidth: number;
  /** How router logits become weights: a softmax over all E, or a sigmoid of each. Then top-K, ties to the lower id. */
  readonly gating: 'softmax' | 'sigmoid';
  /** Divides the chosen weights by their sum. */
  readonly normalise: boolean;
  /** Multiplies the chosen weights after normalising; 1 when absent. */
  readonly weightScale: number;
  /** 0 when there is no shared expert. */
  readonly sharedWidth: number;
  /** What stands between an expert's gate and up rows and its down rows: silu(gate) · up, or that of gpt-oss (`clampedSwiglu` in gpu/reference/ops/ffn.ts). */
  readonly activation: 'silu' | 'clamped-swiglu';
  /** Group-limited choice: only experts of the best groups can be chosen. Absent: there are no groups. */
  readonly groups?: ExpertGroups;
}

/**
 * Experts in `count` groups of E / count neighbours. A group stands as high as the sum of its two best experts; those of the `used` best
 * groups compete (DeepSeek-V3, arXiv 2412.19437, 2.1.2: devices that a token may reach).
 */
export interface ExpertGroups {
  readonly count: number;
  readonly used: number;
}

/** Where one expert's projection lies in the file: a slice of a stacked tensor, or a tensor of its own. */
export interface ExpertSlice {
  readonly tensor: GgufTensor;
  /** Absolute offset in the tensor's part. */
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface AttentionTensors {
  readonly norm: GgufTensor; // [D]
  readonly q: GgufTensor; // [H·Hd, D]
  readonly k: GgufTensor; // [G·Hd, D]
  readonly v: GgufTensor; // [G·Hd, D]
  readonly qBias?: GgufTensor;
  readonly kBias?: GgufTensor;
  readonly vBias?: GgufTensor;
  readonly output: GgufTensor; // [D, H·Hd]
  readonly outputBias?: GgufTensor;
  /** RMS norm of q and k before RoPE: [Hd] per head (qwen3) or [H·Hd] / [G·Hd] over the whole row (olmoe). */
  readonly qNorm?: GgufTensor;
  readonly kNorm?: GgufTensor;
  /** A logit per head in the softmax's sum that brings no value, [H] (gpt-oss). */
  readonly sinks?: GgufTensor;
  /** A token sees so many positions, its own counted; absent: all before it. */
  readonly windowTokens?: number;
}

export interface DenseFfnTensors {
  readonly kind: 'dense';
  readonly gate: GgufTensor; // [F, D]
  readonly up: GgufTensor; // [F, D]
  readonly down: GgufTensor; // [D, F]
  readonly width: number;
}

export interface MoeFfnTensors {
  readonly kind: 'moe';
  readonly moe: MoeSpec;
  readonly router: GgufTensor; // [E, D]
  /** Added to the weights for the choice alone, [E]: what balances the load of a sigmoid router (arXiv 2408.15664). */
  readonly selectionBias?: GgufTensor;
  /** Added to the router's logits, [E]. */
  readonly routerBias?: GgufTensor;
  /** [E] slices, each of shape [F, D] / [F, D] / [D, F]. All experts of one projection have one type. */
  readonly gate: readonly ExpertSlice[];
  readonly up: readonly ExpertSlice[];
  readonly down: readonly ExpertSlice[];
  /** Added to each expert's rows: [E, F], [E, F], [E, D], F32. Of a layer without a shared expert. */
  readonly biases?: { readonly gate: GgufTensor; readonly up: GgufTensor; readonly down: GgufTensor };
  readonly shared?: {
    readonly gate: GgufTensor; // [Fs, D]
    readonly up: GgufTensor;
    readonly down: GgufTensor; // [D, Fs]
    /** Sigmoid gate on the shared expert's output, [1, D] (qwen2moe). */
    readonly outputGate?: GgufTensor;
  };
}

export interface LayerSpec {
  readonly index: number;
  readonly attention: AttentionTensors;
  readonly ffnNorm: GgufTensor; // [D]
  readonly ffn: DenseFfnTensors | MoeFfnTensors;
}

export interface ModelSpec {
  readonly architecture: ArchitectureName;
  readonly name: string;
  readonly file: GgufFile;
  readonly nLayers: number;
  readonly modelWidth: number; // D
  readonly nHeads: number; // H
  readonly nKvHeads: number; // G, divides H
  readonly headWidth: number; // Hd
  readonly vocabularySize: number; // V
  readonly trainedContextTokens: number;
  readonly rmsEpsilon: number;
  /** Scores are multiplied by this: 1/√Hd unless the file says otherwise. */
  readonly attentionScale: number;
  readonly qkNorm: 'none' | 'per-head' | 'whole-row';
  /** |q|, |k|, |v| are clamped to this before norm and RoPE (olmoe `attention.clamp_kqv`); absent: no clamp. */
  readonly clampQkv?: number;
  readonly rope: RopeSpec;
  /** Multiplies the rows of the embedding as they enter the residual, not where the embedding is the head. 1 but for granitemoe. */
  readonly embeddingScale: number;
  /** Multiplies the logits. 1 but for granitemoe. */
  readonly logitScale: number;
  readonly embedding: GgufTensor; // [V, D]
  readonly outputNorm: GgufTensor; // [D]
  /** [V, D]; the embedding itself when tied. */
  readonly head: GgufTensor;
  readonly tiedHead: boolean;
  readonly layers: readonly LayerSpec[];
}
