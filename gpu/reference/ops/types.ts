/** Types shared by the reference operations. Weights are dequantised f32, activations and sums f64. */

/** Weights of one expert, `[F, D]` or `[D, F]`, by expert id. */
export type ExpertWeights = (expert: number) => Float32Array;

/** Numeric input that may be f32 (what a GPU wrote) or f64 (what the reference computed). */
export type NumericArray = Float32Array | Float64Array;
