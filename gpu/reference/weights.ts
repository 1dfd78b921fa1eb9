/** Dequantised weights for the reference engine, read when first needed and kept up to a budget, oldest use out first. */
import { invariant } from '../invariant.ts';
import type { ExpertSlice } from '../architectures/types.ts';
import type { GgufFile, GgufTensor } from '../gguf/types.ts';
import { dequantise, isComputeType } from '../quant/formats.ts';

export class ReferenceWeights {
  readonly #file: GgufFile;
  readonly #budgetBytes: number;
  readonly #kept = new Map<string, Float32Array>();
  #keptBytes = 0;

  constructor(file: GgufFile, budgetBytes: number) {
    this.#file = file;
    this.#budgetBytes = budgetBytes;
  }

  tensor(tensor: GgufTensor): Promise<Float32Array>;
  tensor(tensor: GgufTensor | undefined): Promise<Float32Array | undefined>;
  async tensor(tensor: GgufTensor | undefined): Promise<Float32Array | undefined> {
    return tensor && this.slice({ tensor, offsetBytes: tensor.offsetBytes, sizeBytes: tensor.sizeBytes });
  }

  /** One expert's projection, row-major. */
  async slice({ tensor, offsetBytes, sizeBytes }: ExpertSlice): Promise<Float32Array> {
    const key = `${tensor.part}:${offsetBytes}`;
    let weights = this.#kept.get(key);
    if (weights) {
      this.#kept.delete(key); // back in at the end: last used
    } else {
      invariant(isComputeType(tensor.type), `tensor ${tensor.name} has type ${tensor.type}`);
      const bytes = await this.#file.sources[tensor.part].read(offsetBytes, sizeBytes);
      weights = dequantise(tensor.type, bytes);
      this.#keptBytes += weights.byteLength;
    }
    this.#kept.set(key, weights);
    for (const [oldKey, old] of this.#kept) {
      if (this.#keptBytes <= this.#budgetBytes || oldKey === key) break;
      this.#kept.delete(oldKey);
      this.#keptBytes -= old.byteLength;
    }
    return weights;
  }
}
