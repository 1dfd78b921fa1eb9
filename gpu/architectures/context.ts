/** What every architecture's file works with: the numbers that are read the same way for all of them, and the tensors. */
import type { Metadata } from './metadata.ts';
import type { Tensors } from './tensors.ts';
import type { ArchitectureName, LayerSpec, ModelSpec, RopeSpec } from './types.ts';

export interface ReadContext {
  readonly metadata: Metadata;
  readonly tensors: Tensors;
  readonly modelWidth: number; // D
  readonly nHeads: number; // H
  readonly nKvHeads: number; // G
  readonly headWidth: number; // Hd
}

export interface Scales {
  readonly embedding: number;
  /** Multiplies what a block adds to the residual. */
  readonly residual: number;
  /** Multiplies attention scores; absent: 1/√Hd. */
  readonly attention?: number;
  readonly logits: number;
}

/** An architecture as data where it can be data, and a function for its layers. One file each. */
export interface Architecture {
  readonly name: ArchitectureName;
  readonly pairing: RopeSpec['pairing'];
  /** Where the layers have a q/k norm. */
  readonly qkNorm: ModelSpec['qkNorm'];
  /** Whether `rope_freqs.weight` divides the angles where the file has it. */
  readonly ropeFactors: boolean;
  /** Whether `output.weight` may be missing, the embedding being the head then. */
  readonly mayTieHead: boolean;
  /** Whether RoPE may be scaled by YaRN. */
  readonly yarn?: boolean;
  /** Whether its layers have windows of `attention.sliding_window` tokens. */
  readonly slidingWindow?: boolean;
  /** Numbers that other architectures must not have in their files. */
  readonly readScales?: (metadata: Metadata) => Scales;
  /** Called for layers 0, 1, … in order. */
  readonly readLayer: (context: ReadContext, index: number) => LayerSpec;
}

/** Bounds for counts from a file, far above any model: they keep arithmetic exact and allocations sane. */
export const LIMITS = {
  layers: { least: 1, most: 1024 },
  width: { least: 1, most: 1 << 20 },
  heads: { least: 1, most: 4096 },
  /** The routing record holds expert ids as u16. */
  experts: { least: 1, most: 65535 },
  context: { least: 1, most: 2 ** 31 - 1 },
} as const;
