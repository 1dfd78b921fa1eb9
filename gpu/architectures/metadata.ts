/**
 * Typed access to a GGUF's metadata under one architecture's prefix. Keys and defaults follow llama.cpp
 * (src/llama-arch.cpp, src/llama-model.cpp). Every refusal names the key, what was found and what is allowed.
 */
import { engineError } from '../errors.ts';
import type { GgufFile, GgufValue } from '../gguf/types.ts';

export interface Range {
  readonly least: number;
  readonly most: number;
}

export class Metadata {
  readonly #file: GgufFile;
  readonly #prefix: string;

  constructor(file: GgufFile, prefix: string) {
    this.#file = file;
    this.#prefix = prefix;
  }

  /** Full name of `key`, for messages. */
  keyName(key: string): string {
    return `${this.#prefix}.${key}`;
  }

  has(key: string): boolean {
    return this.#file.metadata.has(this.keyName(key));
  }

  /** A required whole number. A list of equal numbers (one per layer) counts as that number. */
  count(key: string, range: Range): number {
    const value = this.optionalCount(key, range);
    if (value === undefined)
      throw engineError('model.metadata', `The model file has no ${this.keyName(key)}, which ${this.#prefix} models need.`, {
        key: this.keyName(key),
      });
    return value;
  }

  optionalCount(key: string, range: Range): number | undefined {
    const value = this.#single(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < range.least || value > range.most)
      this.refuse(key, `a whole number from ${range.least} to ${range.most} is needed`);
    return value;
  }

  /** A finite number, or undefined when the key is absent. */
  optionalNumber(key: string): number | undefined {
    const value = this.#single(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isFinite(value)) this.refuse(key, 'a finite number is needed');
    return value;
  }

  optionalText(key: string): string | undefined {
    const value = this.#single(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'string') this.refuse(key, 'a text is needed');
    return value;
  }

  optionalFlag(key: string): boolean | undefined {
    const value = this.#single(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'boolean') this.refuse(key, 'true or false is needed');
    return value;
  }

  /** Throws `model.metadata` for `key`, saying what the file has and `allowed`. */
  refuse(key: string, allowed: string): never {
    const found = shown(this.#file.metadata.get(this.keyName(key)));
    throw engineError(
      'model.metadata',
      `The model file says ${this.keyName(key)} = ${found}; ${allowed}. Try another conversion of the model.`,
      { key: this.keyName(key), found },
    );
  }

  #single(key: string): number | boolean | string | undefined {
    const value = this.#file.metadata.get(this.keyName(key));
    if (value === undefined) return undefined;
    if (typeof value === 'bigint') this.refuse(key, 'the number is too large');
    if (typeof value !== 'object') return value;
    if (value.elementType === 'STRING' || value.length === 0) this.refuse(key, 'one number is needed');
    const numbers = value.numbers();
    for (let i = 1; i < numbers.length; i++)
      if (numbers[i] !== numbers[0]) this.refuse(key, 'all layers must have the same value');
    return Number(numbers[0]);
  }
}

function shown(value: GgufValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return `"${value.slice(0, 60)}"`;
  if (typeof value !== 'object') return String(value);
  if (value.elementType === 'STRING') return `a list of ${value.length} texts`;
  const numbers = value.numbers();
  const first = Array.from({ length: Math.min(8, numbers.length) }, (_, i) => String(numbers[i]));
  return `[${first.join(', ')}${numbers.length > 8 ? ', …' : ''}]`;
}
