/** Dequantised weights for the reference engine, read when first needed and kept up to a budget, oldest use out first. */
import { invariant } from '../invariant.ts';
import type { ExpertSlice } from '../architectures/types.ts';
import type { GgufFile, GgufTensor } from '../gguf/types.ts';
import { dequantise, isComputeType } from '../quant/formats.ts';
import type { ComputeType } from '../quant/types.ts';
import type { Matrix, NumericArray } from './ops/types.ts';

/** How another engine multiplies with weights of `type` (`blocks`: their GGUF bytes); undefined where it does as we do. */
export type ProductOf = (
  type: ComputeType,
  weights: Float32Array,
  blocks: Uint8Array,
) => ((x: NumericArray) => Float64Array) | undefined;

interface Kept {
  readonly values: Float32Array;
  readonly matrix: Matrix;
}

export class ReferenceWeights {
  readonly #file: GgufFile;
  readonly #budgetBytes: number;
  readonly #productOf?: ProductOf;
  readonly #kept = new Map<string, Kept>();
  #keptBytes = 0;

  constructor(file: GgufFile, budgetBytes: number, productOf?: ProductOf) {
    this.#file = file;
    this.#budgetBytes = budgetBytes;
    this.#productOf = productOf;
  }

  /** The tensor's numbers: vectors, and the embedding whose rows are looked up. */
  values(tensor: GgufTensor): Promise<Float32Array>;
  values(tensor: GgufTensor | undefined): Promise<Float32Array | undefined>;
  async values(tensor: GgufTensor | undefined): Promise<Float32Array | undefined> {
    return tensor && (await this.#read(wholeTensor(tensor))).values;
  }

  /** A tensor that activations are multiplied with. */
  matrix(tensor: GgufTensor): Promise<Matrix>;
  matrix(tensor: GgufTensor | undefined): Promise<Matrix | undefined>;
  async matrix(tensor: GgufTensor | undefined): Promise<Matrix | undefined> {
    return tensor && this.expert(wholeTensor(tensor));
  }

  /** One expert's projection. */
  async expert(slice: ExpertSlice): Promise<Matrix> {
    return (await this.#read(slice)).matrix;
  }

  async #read({ tensor, offsetBytes, sizeBytes }: ExpertSlice): Promise<Kept> {
    const key = `${tensor.part}:${offsetBytes}`;
    let kept = this.#kept.get(key);
    if (kept) {
      this.#kept.delete(key); // back in at the end: last used
    } else {
      invariant(isComputeType(tensor.type), `tensor ${tensor.name} has type ${tensor.type}`);
      const blocks = await this.#file.sources[tensor.part].read(offsetBytes, sizeBytes);
      const values = dequantise(tensor.type, blocks);
      const multiply = this.#productOf?.(tensor.type, values, blocks);
      kept = { values, matrix: multiply ? { multiply } : values };
      this.#keptBytes += values.byteLength;
    }
    this.#kept.set(key, kept);
    for (const [oldKey, old] of this.#kept) {
      if (this.#keptBytes <= this.#budgetBytes || oldKey === key) break;
      this.#kept.delete(oldKey);
      this.#keptBytes -= old.values.byteLength;
    }
    return kept;
  }
}

function wholeTensor(tensor: GgufTensor): ExpertSlice {
  return { tensor, offsetBytes: tensor.offsetBytes, sizeBytes: tensor.sizeBytes };
}
