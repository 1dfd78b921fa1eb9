/**
 * Would a scout pass pay? Runs a text token by token through the f64 reference and, beside each exact token, a run-through from its first
 * missing layer that leaves absent experts out, to see how many of the later layers' misses it finds. No GPU: what is counted is routing.
 */
import { runLayer, type LayerCache } from '../../reference/layer.ts';
import { ropeInverseFrequencies } from '../../reference/ops/rope.ts';
import { ReferenceWeights } from '../../reference/weights.ts';
import { embedRef } from '../../kernels/embed/embed.ref.ts';
import type { LayerSpec, ModelSpec } from '../../architectures/types.ts';
import type { CachePolicy, CachePolicyFactory } from '../types.ts';
import { fetchMissing } from './fetch-missing.ts';

export interface ScoutScenario {
  readonly nSlots: number;
  /** Whether the experts that are there take the weights of those that are not. */
  readonly renormalise: boolean;
}

export interface ScoutRecall extends ScoutScenario {
  readonly tokens: number;
  readonly tokensWithMiss: number;
  readonly hitRate: number;
  /** Misses in layers after a token's first missing layer, and how many of them the first run-through named. */
  readonly laterMisses: number;
  readonly found: number;
  /** Absent experts that it named in later layers, right or wrong. */
  readonly named: number;
  /** Read-backs of all tokens together: one per missing layer and one at the end; or one per run-through and one at the end. */
  readonly resumeReadbacks: number;
  readonly scoutReadbacks: number;
  /** What the scout's runs take, in runs of a whole token; without misses it is `tokens`. */
  readonly scoutRuns: number;
}

export interface ScoutTest {
  readonly model: ModelSpec;
  readonly tokens: ArrayLike<number>;
  readonly scenarios: readonly ScoutScenario[];
  readonly policy: CachePolicyFactory;
  /** Tokens that only fill the slots. */
  readonly warmUpTokens: number;
  readonly weightBudgetBytes: number;
  readonly onToken?: (done: number) => void;
}

export async function scoutRecall(test: ScoutTest): Promise<ScoutRecall[]> {
  const { model, tokens } = test;
  const run = await TokenRun.create(model, tokens.length, test.weightBudgetBytes);
  const moeLayers = model.layers.filter(({ ffn }) => ffn.kind === 'moe');
  const scenarios = test.scenarios.map((scenario) => new Scenario(scenario, moeLayers, test.policy));
  for (let token = 0; token < tokens.length; token++) {
    const exact = await run.exact(tokens[token], token);
    for (const scenario of scenarios) {
      if (token >= test.warmUpTokens) await scenario.measure(run, exact, token);
      scenario.commit(exact);
    }
    test.onToken?.(token + 1);
  }
  return scenarios.map((scenario) => scenario.result());
}

/** Of one token: the residual that each layer began with, and the experts it chose; by layer of the model. */
interface ExactToken {
  readonly inputs: readonly Float64Array[];
  readonly experts: readonly (readonly number[])[];
}

class TokenRun {
  readonly model: ModelSpec;
  readonly #weights: ReferenceWeights;
  readonly #caches: readonly LayerCache[];
  readonly #frequencies: Float64Array;
  readonly #embedding: Float32Array;

  private constructor(
    model: ModelSpec,
    weights: ReferenceWeights,
    frequencies: Float64Array,
    embedding: Float32Array,
    n: number,
  ) {
    this.model = model;
    this.#weights = weights;
    this.#frequencies = frequencies;
    this.#embedding = embedding;
    const length = model.nKvHeads * n * model.headWidth;
    this.#caches = model.layers.map(() => ({
      contextTokens: n,
      keys: new Float64Array(length),
      values: new Float64Array(length),
    }));
  }

  static async create(model: ModelSpec, contextTokens: number, weightBudgetBytes: number): Promise<TokenRun> {
    const weights = new ReferenceWeights(model.file, weightBudgetBytes);
    const frequencies = ropeInverseFrequencies(model.rope, await weights.values(model.rope.factorsTensor));
    return new TokenRun(model, weights, frequencies, await weights.values(model.embedding), contextTokens);
  }

  async exact(id: number, position: number): Promise<ExactToken> {
    const inputs: Float64Array[] = [];
    const experts: number[][] = [];
    let row: Float64Array = embedRef(this.#embedding, this.model.modelWidth, id, this.model.embeddingScale);
    for (const layer of this.model.layers) {
      inputs.push(row);
      const { hOut, routing } = await this.#layer(layer, row, position);
      experts.push(Array.from(routing?.ids ?? []));
      row = hOut;
    }
    return { inputs, experts };
  }

  /** From layer `first` with its exact input, absent experts left out: what each layer from there on chose. The cache is as before. */
  async scout(
    first: number,
    input: Float64Array,
    position: number,
    leftOut: LeftOutOf,
  ): Promise<ReadonlyMap<number, readonly number[]>> {
    const layers = this.model.layers.slice(first);
    const saved = layers.map(({ index }) => this.#rows(index, position).map((row) => row.slice()));
    const chosen = new Map<number, readonly number[]>();
    let row = input;
    for (const layer of layers) {
      const { hOut, routing } = await this.#layer(layer, row, position, leftOut(layer.index));
      if (routing) chosen.set(layer.index, Array.from(routing.ids));
      row = hOut;
    }
    layers.forEach(({ index }, i) => this.#rows(index, position).forEach((row, j) => row.set(saved[i][j])));
    return chosen;
  }

  #layer(layer: LayerSpec, row: Float64Array, position: number, leftOut?: ReturnType<LeftOutOf>) {
    const settings = { kvRounding: 'f16', leftOut } as const;
    return runLayer(this.model, layer, this.#weights, settings, this.#frequencies, this.#caches[layer.index], row, position);
  }

  /** The key and value rows of `position` in each KV head. */
  #rows(layer: number, position: number): Float64Array[] {
    const { contextTokens, keys, values } = this.#caches[layer];
    const { nKvHeads, headWidth } = this.model;
    return [keys, values].flatMap((cache) =>
      Array.from({ length: nKvHeads }, (_, head) => {
        const start = (head * contextTokens + position) * headWidth;
        return cache.subarray(start, start + headWidth);
      }),
    );
  }
}

type LeftOutOf = (layer: number) => { has(expert: number): boolean; readonly renormalise: boolean };

class Scenario {
  readonly #scenario: ScoutScenario;
  /** By layer of the model; only MoE layers. */
  readonly #layers = new Map<number, { readonly resident: Set<number>; readonly policy: CachePolicy }>();
  readonly #count = { tokens: 0, tokensWithMiss: 0, uses: 0, misses: 0, laterMisses: 0, found: 0, named: 0 };
  readonly #readbacks = { resume: 0, scout: 0 };
  #scoutRuns = 0;

  constructor(scenario: ScoutScenario, layers: readonly LayerSpec[], policy: CachePolicyFactory) {
    this.#scenario = scenario;
    for (const { index, ffn } of layers)
      if (ffn.kind === 'moe') {
        const { nExperts, nExpertsUsed: nUsed } = ffn.moe;
        this.#layers.set(index, { resident: new Set(), policy: policy({ nExperts, nSlots: scenario.nSlots, nUsed }) });
      }
  }

  async measure(run: TokenRun, exact: ExactToken, position: number): Promise<void> {
    const count = this.#count;
    const missing = new Map<number, readonly number[]>();
    for (const [layer, { resident }] of this.#layers) {
      count.uses += exact.experts[layer].length;
      const absent = exact.experts[layer].filter((expert) => !resident.has(expert));
      if (absent.length > 0) missing.set(layer, absent);
      count.misses += absent.length;
    }
    count.tokens++;
    if (missing.size > 0) count.tokensWithMiss++;
    this.#readbacks.resume += missing.size + 1;
    await this.#scout(run, exact, position, missing);
  }

  /** Run-throughs until nothing is missing. What one names is fetched and stays till the token ends. */
  async #scout(
    run: TokenRun,
    exact: ExactToken,
    position: number,
    missing: ReadonlyMap<number, readonly number[]>,
  ): Promise<void> {
    const fetched = new Map([...this.#layers.keys()].map((layer) => [layer, new Set<number>()]));
    const present = (layer: number, expert: number) =>
      this.#layers.get(layer)!.resident.has(expert) || fetched.get(layer)!.has(expert);
    this.#readbacks.scout++;
    this.#scoutRuns++;
    const nLayers = run.model.layers.length;
    for (let pass = 0; ; pass++) {
      const left = [...missing].filter(([layer, experts]) => experts.some((expert) => !present(layer, expert)));
      if (left.length === 0) return;
      const [first] = left[0];
      const leftOut: LeftOutOf = (layer) => ({
        has: (expert) => !present(layer, expert),
        renormalise: this.#scenario.renormalise,
      });
      const chosen = await run.scout(first, exact.inputs[first], position, leftOut);
      const names = [...chosen].map(([layer, experts]) => [layer, experts.filter((expert) => !present(layer, expert))] as const);
      if (pass === 0) this.#countFound(first, missing, new Map(names));
      for (const [layer, experts] of names) for (const expert of experts) fetched.get(layer)!.add(expert);
      this.#readbacks.scout++;
      this.#scoutRuns += (nLayers - first) / nLayers;
    }
  }

  #countFound(
    first: number,
    missing: ReadonlyMap<number, readonly number[]>,
    named: ReadonlyMap<number, readonly number[]>,
  ): void {
    for (const [layer, experts] of missing) if (layer > first) this.#count.laterMisses += experts.length;
    for (const [layer, experts] of named) {
      if (layer <= first) continue;
      this.#count.named += experts.length;
      this.#count.found += experts.filter((expert) => missing.get(layer)?.includes(expert)).length;
    }
  }

  /** The token is done: its experts come into the slots, as the policy decides. */
  commit({ experts }: ExactToken): void {
    for (const [layer, { resident, policy }] of this.#layers) {
      fetchMissing(policy, resident, experts[layer], this.#scenario.nSlots);
      policy.used(experts[layer]);
    }
  }

  result(): ScoutRecall {
    const { uses, misses, ...count } = this.#count;
    return {
      ...this.#scenario,
      ...count,
      hitRate: uses > 0 ? 1 - misses / uses : 1,
      resumeReadbacks: this.#readbacks.resume,
      scoutReadbacks: this.#readbacks.scout,
      scoutRuns: this.#scoutRuns,
    };
  }
}
