/**
 * The f64 engine on the CPU: the truth that GPU results and other engines are compared with. It runs a `ModelSpec` with the decode kernels'
 * references, layer by layer over all new tokens, so that each layer's weights are dequantised once per call.
 */
import { invariant } from '../invariant.ts';
import type { ModelSpec } from '../architectures/types.ts';
import { embedRef } from '../kernels/embed/embed.ref.ts';
import type { KvType } from '../quant/kv-types.ts';
import { headMatvecRef } from '../kernels/head-matvec/head-matvec.ref.ts';
import { sampleGreedyRef } from '../kernels/sample-greedy/sample-greedy.ref.ts';
import { runLayer, type LayerCache } from './layer.ts';
import { ropeInverseFrequencies } from './ops/rope.ts';
import { ReferenceWeights, type ProductOf } from './weights.ts';

export interface ReferenceOptions {
  /** As the cache stores keys and values; `none`: not at all. Default `f16`, as the engine's. */
  readonly kvRounding?: KvType | 'none';
  readonly expertsUsed?: number;
  /** Dequantised weights kept between calls. Default 1 GiB. */
  readonly weightBudgetBytes?: number;
  /** Multiplies as another engine does, to compare with it. */
  readonly productOf?: ProductOf;
}

export interface ReferenceResult {
  /** [n, V], or [1, V] where only the last position's were asked for. */
  readonly logits: Float64Array;
  /** Expert ids by rank, [n, MoE layers, K]. */
  readonly routing: Uint16Array;
  /** Router logits, [n][MoE layers][E]. */
  readonly routerLogits: readonly (readonly Float64Array[])[];
}

export interface ReferenceSequence {
  readonly position: number;
  /** Keys and values of a layer, `[G, C, Hd]`, C being the sequence's capacity. */
  cache(layer: number): LayerCache;
  append(tokens: ArrayLike<number>, logitsOf?: 'all' | 'last'): Promise<ReferenceResult>;
  /** Forgets what stands at `position` and after it. */
  truncate(position: number): void;
}

export interface ReferenceEngine {
  readonly model: ModelSpec;
  /** An empty sequence with room for `contextTokens`. */
  sequence(contextTokens: number): ReferenceSequence;
  /** Logits and routing of every position of `tokens`, from an empty sequence. */
  run(tokens: ArrayLike<number>): Promise<ReferenceResult>;
  /** Logits [n, V] of every position of `tokens`. */
  logits(tokens: ArrayLike<number>): Promise<Float64Array>;
  /** The `count` most likely next ids, one after another. */
  generateGreedy(tokens: ArrayLike<number>, count: number): Promise<number[]>;
}

export function createReferenceEngine(model: ModelSpec, options: ReferenceOptions = {}): ReferenceEngine {
  const weights = new ReferenceWeights(model.file, options.weightBudgetBytes ?? 2 ** 30, options.productOf);
  const sequence = (contextTokens: number) => new Sequence(model, weights, options, contextTokens);
  const run = (tokens: ArrayLike<number>) => sequence(tokens.length).append(tokens);
  return {
    model,
    sequence,
    run,
    logits: async (tokens) => (await run(tokens)).logits,
    async generateGreedy(tokens, count) {
      const generating = sequence(tokens.length + count);
      const ids: number[] = [];
      let next = tokens;
      while (ids.length < count) {
        const id = sampleGreedyRef((await generating.append(next, 'last')).logits);
        ids.push(id);
        next = [id];
      }
      return ids;
    },
  };
}

class Sequence implements ReferenceSequence {
  readonly #model: ModelSpec;
  readonly #weights: ReferenceWeights;
  readonly #options: ReferenceOptions;
  readonly #contextTokens: number;
  readonly #caches: LayerCache[];
  #position = 0;

  constructor(model: ModelSpec, weights: ReferenceWeights, options: ReferenceOptions, contextTokens: number) {
    this.#model = model;
    this.#weights = weights;
    this.#options = options;
    this.#contextTokens = contextTokens;
    const length = model.nKvHeads * contextTokens * model.headWidth;
    this.#caches = model.layers.map(() => ({
      contextTokens,
      keys: new Float64Array(length),
      values: new Float64Array(length),
    }));
  }

  get position(): number {
    return this.#position;
  }

  cache(layer: number): LayerCache {
    return this.#caches[layer];
  }

  truncate(position: number): void {
    invariant(position >= 0 && position <= this.#position, `truncate to ${position} of ${this.#position}`);
    this.#position = position;
  }

  async append(tokens: ArrayLike<number>, logitsOf: 'all' | 'last' = 'all'): Promise<ReferenceResult> {
    const model = this.#model;
    const ids = Array.from(tokens);
    invariant(this.#position + ids.length <= this.#contextTokens, 'the reference sequence is full');
    invariant(
      ids.every((id) => Number.isInteger(id) && id >= 0 && id < model.vocabularySize),
      `a token id is outside 0…${model.vocabularySize - 1}`,
    );
    const settings = { kvRounding: this.#options.kvRounding ?? 'f16', expertsUsed: this.#options.expertsUsed } as const;
    const frequencies = ropeInverseFrequencies(model.rope, await this.#weights.values(model.rope.factorsTensor));
    const embedding = await this.#weights.values(model.embedding);
    const rows = ids.map((id) => embedRef(embedding, model.modelWidth, id, model.embeddingScale));
    const routed = ids.map(() => ({ ids: [] as number[], logits: [] as Float64Array[] }));
    for (const layer of model.layers)
      for (let token = 0; token < ids.length; token++) {
        const position = this.#position + token;
        const cache = this.#caches[layer.index];
        const result = await runLayer(model, layer, this.#weights, settings, frequencies, cache, rows[token], position);
        rows[token] = result.hOut;
        if (result.routing) {
          routed[token].ids.push(...result.routing.ids);
          routed[token].logits.push(result.routing.logits);
        }
      }
    this.#position += ids.length;
    return {
      logits: await this.#head(logitsOf === 'all' ? rows : rows.slice(-1)),
      routing: Uint16Array.from(routed.flatMap((token) => token.ids)),
      routerLogits: routed.map((token) => token.logits),
    };
  }

  async #head(rows: readonly Float64Array[]): Promise<Float64Array> {
    const { outputNorm, head, rmsEpsilon, vocabularySize, logitScale } = this.#model;
    const [norm, weights] = [await this.#weights.values(outputNorm), await this.#weights.matrix(head)];
    const scale = (logits: Float64Array) => (logitScale === 1 ? logits : logits.map((logit) => logit * logitScale));
    const logits = new Float64Array(rows.length * vocabularySize);
    rows.forEach((row, token) => logits.set(scale(headMatvecRef(row, norm, rmsEpsilon, weights)), token * vocabularySize));
    return logits;
  }
}
