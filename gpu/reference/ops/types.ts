/** Types shared by the reference operations. Weights are dequantised f32, activations and sums f64. */

/** A weight matrix, row-major, or one that multiplies in its own way. */
export type Matrix = Float32Array | OwnProduct;

/**
 * W·x as another engine computes it: llama.cpp rounds the activations for quantised weights. It tells their rounding apart from a
 * mistake of ours; the GPU engine never rounds activations.
 */
export interface OwnProduct {
  /** `x [K]` → `[N]`. */
  readonly multiply: (x: NumericArray) => Float64Array;
}

/** Weights of one expert, `[F, D]` or `[D, F]`, by expert id. */
export type ExpertWeights = (expert: number) => Matrix;

/** What is added to the rows of one expert, `[F]` or `[D]`, by expert id. */
export type ExpertBiases = (expert: number) => NumericArray;

/** Numeric input that may be f32 (what a GPU wrote) or f64 (what the reference computed). */
export type NumericArray = Float32Array | Float64Array;
