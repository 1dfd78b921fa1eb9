/**
 * Finds a model's tensors by name and checks shape and type. It remembers what was asked for: a tensor that nobody asked for means that
 * the file computes something that we would leave out, so it is refused.
 */
import { engineError } from '../errors.ts';
import type { GgufFile, GgufTensor } from '../gguf/types.ts';
import { isComputeType, quantFormat } from '../quant/formats.ts';
import { COMPUTE_TYPES } from '../quant/types.ts';
import type { ExpertSlice } from './types.ts';

/** Weights are read in units of 32 along the row (gpu/README.md). */
const UNIT_WEIGHTS = 32;

export class Tensors {
  readonly #file: GgufFile;
  readonly #used = new Set<string>();

  constructor(file: GgufFile) {
    this.#file = file;
  }

  has(name: string): boolean {
    return this.#file.tensors.has(name);
  }

  /** A weight matrix `[rows, cols]` of a type that the engine computes with. */
  matrix(name: string, rows: number, cols: number): GgufTensor {
    const tensor = this.#shaped(name, [[rows, cols], ...(rows === 1 ? [[cols]] : [])]);
    this.#checkWeights(tensor, cols);
    return tensor;
  }

  /** One matrix whose rows are those of several, `rows[i]` each, one after another. */
  rowsOf(name: string, rows: readonly number[], cols: number): GgufTensor[] {
    const total = rows.reduce((sum, n) => sum + n, 0);
    const tensor = this.matrix(name, total, cols);
    const rowBytes = tensor.sizeBytes / total;
    let offsetBytes = tensor.offsetBytes;
    return rows.map((n, i) => {
      const part = { ...tensor, name: `${name} (part ${i})`, shape: [n, cols], offsetBytes, sizeBytes: n * rowBytes };
      offsetBytes += part.sizeBytes;
      return part;
    });
  }

  /** Tensors that the model's answers do not depend on. */
  leaveOut(prefix: string): void {
    for (const name of this.#file.tensors.keys()) if (name.startsWith(prefix)) this.#used.add(name);
  }

  /** Stacked experts `[E, rows, cols]` as one slice per expert. */
  experts(name: string, nExperts: number, rows: number, cols: number): ExpertSlice[] {
    const tensor = this.#shaped(name, [[nExperts, rows, cols], ...(nExperts === 1 ? [[rows, cols]] : [])]);
    this.#checkWeights(tensor, cols);
    const sizeBytes = tensor.sizeBytes / nExperts;
    return Array.from({ length: nExperts }, (_, expert) => ({
      tensor,
      offsetBytes: tensor.offsetBytes + expert * sizeBytes,
      sizeBytes,
    }));
  }

  /** One tensor per expert, as files from before March 2024 have them. All must have one type. */
  separateExperts(name: (expert: number) => string, nExperts: number, rows: number, cols: number): ExpertSlice[] {
    return Array.from({ length: nExperts }, (_, expert) => {
      const tensor = this.matrix(name(expert), rows, cols);
      const first = this.#file.tensors.get(name(0))!;
      if (tensor.type !== first.type)
        throw engineError(
          'model.tensor',
          `Tensor ${tensor.name} has type ${tensor.type} but ${first.name} has ${first.type}: all experts of a projection need one type.`,
          { tensor: tensor.name, found: tensor.type, allowed: first.type },
        );
      return { tensor, offsetBytes: tensor.offsetBytes, sizeBytes: tensor.sizeBytes };
    });
  }

  /** A norm weight, bias or list of factors: `[length]`, F32. */
  vector(name: string, length: number): GgufTensor {
    return this.#plain(name, [length]);
  }

  /** A vector for each of `count` experts: `[count, length]`, F32. */
  vectors(name: string, count: number, length: number): GgufTensor {
    return this.#plain(name, [count, length]);
  }

  optionalVector(name: string, length: number): GgufTensor | undefined {
    return this.has(name) ? this.vector(name, length) : undefined;
  }

  #plain(name: string, shape: readonly number[]): GgufTensor {
    const tensor = this.#shaped(name, [shape]);
    if (tensor.type !== 'F32')
      throw engineError('model.tensor', `Tensor ${name} has type ${tensor.type}; norms and biases must be F32.`, {
        tensor: name,
        found: tensor.type,
        allowed: 'F32',
      });
    return tensor;
  }

  /** Throws when the file has tensors that nobody asked for. */
  refuseUnused(architecture: string): void {
    const unused = [...this.#file.tensors.keys()].filter((name) => !this.#used.has(name));
    if (unused.length === 0) return;
    throw engineError(
      'model.tensor',
      `The model file has ${unused.length} tensors that Conclave does not use for ${architecture} models, the first is ${unused[0]}: ` +
        `leaving them out would change the model's answers, so it is not run.`,
      { tensor: unused[0], count: unused.length, architecture },
    );
  }

  #shaped(name: string, shapes: readonly (readonly number[])[]): GgufTensor {
    const tensor = this.#file.tensors.get(name);
    if (!tensor)
      throw engineError('model.tensor', `The model file has no tensor ${name} (expected shape ${shape(shapes[0])}).`, {
        tensor: name,
        allowed: shape(shapes[0]),
      });
    if (!shapes.some((allowed) => shape(allowed) === shape(tensor.shape)))
      throw engineError(
        'model.tensor',
        `Tensor ${name} has shape ${shape(tensor.shape)}, expected ${shape(shapes[0])} (rows first).`,
        { tensor: name, found: shape(tensor.shape), allowed: shape(shapes[0]) },
      );
    this.#used.add(name);
    return tensor;
  }

  #checkWeights(tensor: GgufTensor, cols: number): void {
    if (!isComputeType(tensor.type))
      throw engineError(
        'model.tensor',
        `Tensor ${tensor.name} has type ${tensor.type}; Conclave computes with ${COMPUTE_TYPES.join(', ')}. Look for the model in one of these.`,
        { tensor: tensor.name, found: tensor.type, allowed: COMPUTE_TYPES.join(' ') },
      );
    const unit = Math.max(UNIT_WEIGHTS, quantFormat(tensor.type).blockWeights);
    if (cols % unit !== 0)
      throw engineError(
        'model.tensor',
        `Tensor ${tensor.name} (${tensor.type}) has rows of ${cols} weights; a multiple of ${unit} is needed.`,
        { tensor: tensor.name, found: cols, allowed: `multiple of ${unit}` },
      );
  }
}

function shape(sizes: readonly number[]): string {
  return `[${sizes.join(', ')}]`;
}
