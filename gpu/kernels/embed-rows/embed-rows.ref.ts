/** Reference of `embed-rows`: rows of the embedding for a chunk of tokens. */
import { embedRef } from '../embed/embed.ref.ts';

/** `embedding [V, D]`, `ids [T]` → `[T, D]`. */
export function embedRowsRef(embedding: Float32Array, modelWidth: number, ids: ArrayLike<number>, scale: number): Float64Array {
  const out = new Float64Array(ids.length * modelWidth);
  for (let token = 0; token < ids.length; token++)
    out.set(embedRef(embedding, modelWidth, ids[token], scale), token * modelWidth);
  return out;
}
