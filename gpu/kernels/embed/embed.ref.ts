/** Reference of `embed`: one row of the embedding. */

/** `embedding [V, D]`, token `id` → residual row `[D]`. */
export function embedRef(embedding: Float32Array, modelWidth: number, id: number, scale: number): Float64Array {
  return Float64Array.from(embedding.subarray(id * modelWidth, (id + 1) * modelWidth), (value) => scale * value);
}
