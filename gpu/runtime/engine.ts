/**
 * The engine: a model's buffers, a prefill plan, a decode plan and one sequence. The sequence is the tokens in the cache and at most one
 * pending token behind them (the last of a prompt, or the last that was sampled), from which `generate` starts.
 */
import { expertsUsed } from '../architectures/experts-used.ts';
import type { ModelSpec } from '../architectures/types.ts';
import type { GpuDevice } from '../device/open-device.ts';
import type { BufferRange } from '../device/types.ts';
import { BufferUsage } from '../device/usage.ts';
import { engineError, isConclaveError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import type { KvType } from '../quant/kv-types.ts';
import { Residency } from '../residency/cache/residency.ts';
import { defaultPolicy } from '../residency/policy/policies.ts';
import { fewerSlots } from '../residency/fewer-slots.ts';
import { allResident, noCounts, type ResidencyCounters, type ResidencyPlan } from '../residency/types.ts';
import { MAX_STEPS, STATE_BYTES } from './decode-activations.ts';
import { stepWeightBytes, type StepBytes } from './decode-bytes.ts';
import { DecodePlan } from './decode-plan.ts';
import { ResumingDecoder } from './decode-resume.ts';
import { DecodeRunner, SUBMISSIONS_IN_FLIGHT, type PendingTokens } from './decode-run.ts';
import { readKvRows } from './kv-read.ts';
import { measureStepMs } from './measure-step.ts';
import type { PlanContext, PrefillPlan } from './plan-context.ts';
import { createPrefillPlan, MAX_CHUNK_TOKENS } from './prefill-plan.ts';
import type {
  Engine,
  EngineCounters,
  EngineOptions,
  FinishReason,
  GenerateRequest,
  MemoryLedger,
  PrefillOptions,
  ReplayOptions,
  SampledToken,
} from './types.ts';
import { loadModelBuffers, type LoadedBuffers } from './weights.ts';

const DEFAULT_CONTEXT_TOKENS = 4096;
const DEFAULT_CHUNK_TOKENS = 128;
/** Two submissions are in flight anyway; on a software adapter a step takes longer than a read-back hides. */
const DEFAULT_STEPS = 2;
const GREEDY = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };

/** Throws what `loadModelBuffers` and the plans throw; then nothing stays allocated. The engine does not own `gpu`. */
export async function createEngine(gpu: GpuDevice, options: EngineOptions): Promise<Engine> {
  const { model, residency } = options;
  const used = expertsUsed(model, options.expertsUsed);
  const nMoeLayers = model.layers.filter(({ ffn }) => ffn.kind === 'moe').length;
  for (let plan = residency ?? allResident(nMoeLayers); ;) {
    try {
      return await createByPlan(gpu, options, used, plan);
    } catch (error) {
      const isRefused = !residency && isConclaveError(error) && error.code === 'gpu.out-of-memory';
      const fewer = isRefused ? fewerSlots(plan, model, used) : null;
      if (!fewer) throw error;
      plan = fewer;
    }
  }
}

async function createByPlan(
  gpu: GpuDevice,
  options: EngineOptions,
  used: readonly number[],
  plan: ResidencyPlan,
): Promise<Engine> {
  const { model, signal, onProgress, warmCounts } = options;
  const contextTokens = options.contextTokens ?? Math.min(model.trainedContextTokens, DEFAULT_CONTEXT_TOKENS);
  const kvType = options.kvType ?? 'f16';
  const chunkTokens = Math.min(options.prefillChunkTokens ?? DEFAULT_CHUNK_TOKENS, contextTokens);
  const tokensInFlight = options.tokensInFlight ?? (gpu.capabilities.software ? 1 : DEFAULT_STEPS);
  invariant(contextTokens >= 1, `context of ${contextTokens} tokens`);
  invariant(chunkTokens >= 1 && chunkTokens <= MAX_CHUNK_TOKENS, `prefill chunk of ${chunkTokens} tokens`);
  invariant(tokensInFlight >= 1 && tokensInFlight <= MAX_STEPS, `${tokensInFlight} tokens in flight`);
  const releases: (() => void)[] = [];
  try {
    const buffers = await loadModelBuffers(gpu, model, {
      contextTokens,
      kvType,
      residency: plan,
      expertsUsed: used,
      warmCounts,
      slotPermutationSeed: options.slotPermutationSeed,
      signal,
      onProgress: (done, total) => onProgress?.({ phase: 'weights', done, total }),
    });
    releases.push(() => buffers.dispose());
    const stateBuffer = await gpu.buffers.allocate({
      label: 'state',
      sizeBytes: STATE_BYTES,
      usage: BufferUsage.STORAGE | BufferUsage.COPY_DST | BufferUsage.COPY_SRC,
      account: 'activations',
    });
    releases.push(() => gpu.buffers.release(stateBuffer));
    const state: BufferRange = { buffer: stateBuffer, offsetBytes: 0, sizeBytes: stateBuffer.size };
    const routingMargins = marginsOf(model, buffers, options.approximateRouting ?? 0);
    const context: PlanContext = { gpu, model, buffers, contextTokens, kvType, expertsUsed: used, routingMargins, state };
    const report = (done: number, total: number) => onProgress?.({ phase: 'pipelines', done, total });
    const decode = await DecodePlan.create(context, report);
    releases.push(() => decode.dispose());
    const runner = await DecodeRunner.create(gpu, decode);
    releases.push(() => runner.dispose());
    const residency = await Residency.create(gpu, model, buffers, { plan, policy: options.policy ?? defaultPolicy, warmCounts });
    if (residency) releases.push(() => residency.dispose());
    const resuming = residency && (await ResumingDecoder.create(context, decode, residency, runner.totals, options.missReach));
    if (resuming) releases.push(() => resuming.dispose());
    const prefill = await createPrefillPlan(context, chunkTokens, report, residency);
    releases.push(() => prefill.dispose());
    if (signal?.aborted) throw engineError('engine.cancelled', 'Loading the model was cancelled.');
    const slotsBytes = buffers.experts.footprint.slotsBytes;
    return new WebGpuEngine({ context, decode, runner, prefill, residency, resuming, slotsBytes, tokensInFlight, releases });
  } catch (error) {
    for (const release of releases.reverse()) release();
    throw error;
  }
}

/** Where every expert has a slot, or none keeps one, there is nothing to prefer. */
function marginsOf(model: ModelSpec, { experts }: LoadedBuffers, margin: number): readonly number[] {
  invariant(margin >= 0 && Number.isFinite(margin), `a routing margin of ${margin}`);
  const slotted = new Set(experts.footprint.layers.flatMap((plan) => (plan.residency.kind === 'slotted' ? [plan.layer] : [])));
  return model.layers.map(({ index }) => (slotted.has(index) ? margin : 0));
}

interface EngineParts {
  readonly context: PlanContext;
  readonly decode: DecodePlan;
  readonly runner: DecodeRunner;
  readonly prefill: PrefillPlan;
  /** Both null: every expert has a slot. */
  readonly residency: Residency | null;
  readonly resuming: ResumingDecoder | null;
  readonly slotsBytes: number;
  readonly tokensInFlight: number;
  readonly releases: readonly (() => void)[];
}

class WebGpuEngine implements Engine {
  readonly model: ModelSpec;
  readonly contextTokens: number;
  readonly kvType: KvType;
  readonly #parts: EngineParts;
  readonly #stepBytes: StepBytes;
  #position = 0;
  #pending: number | null = null;
  #decodeMs = 0;
  #prefillMs = 0;
  #isBusy = false;
  #isDisposed = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.model = parts.context.model;
    this.contextTokens = parts.context.contextTokens;
    this.kvType = parts.context.kvType;
    this.#stepBytes = stepWeightBytes(parts.context);
  }

  get position(): number {
    return this.#position;
  }

  async prefill(tokens: ArrayLike<number>, options: PrefillOptions = {}): Promise<void> {
    invariant(tokens.length > 0, 'a prefill has at least one token');
    const start = this.#position;
    const sequence = [...(this.#pending === null ? [] : [this.#pending]), ...Array.from(tokens)];
    this.#requireRoom(start + sequence.length);
    this.#requireIds(sequence);
    await this.#busy(async () => {
      const cached = Uint32Array.from(sequence.slice(0, -1));
      const startMs = performance.now();
      this.#pending = null;
      try {
        if (cached.length > 0) {
          await this.#parts.prefill.run(cached, start, {
            signal: options.signal,
            onRouting: options.onRouting,
            onProgress: (done) => {
              this.#position = start + done;
              options.onProgress?.(done, sequence.length);
            },
          });
        }
      } finally {
        this.#prefillMs += performance.now() - startMs;
      }
      this.#position = start + cached.length;
      this.#pending = sequence[sequence.length - 1];
      options.onProgress?.(sequence.length, sequence.length);
    });
  }

  async replay(tokens: ArrayLike<number>, { signal }: ReplayOptions = {}): Promise<void> {
    invariant(this.#pending !== null && tokens.length > 0, 'a replay goes on from a token: prefill one first');
    const start = this.#position;
    const fed = Uint32Array.from([this.#pending, ...Array.from(tokens)]);
    this.#requireRoom(start + fed.length);
    this.#requireIds(fed);
    await this.#busy(async () => {
      const startMs = performance.now();
      this.#pending = null;
      this.#parts.decode.setSampling(GREEDY);
      try {
        const done = await (this.#parts.resuming ?? this.#parts.runner).feed(fed.subarray(0, -1), start, signal);
        this.#position = start + done;
        if (done < tokens.length) throw engineError('engine.cancelled', 'Reading the conversation again was cancelled.');
        this.#pending = fed[tokens.length];
      } catch (error) {
        if (signal?.aborted && error === signal.reason)
          throw engineError('engine.cancelled', 'Reading the conversation again was cancelled.');
        throw error;
      } finally {
        this.#decodeMs += performance.now() - startMs;
      }
    });
  }

  async *generate(request: GenerateRequest): AsyncGenerator<SampledToken, FinishReason> {
    invariant(this.#pending !== null, 'generate starts from a token: prefill one first');
    this.#enter();
    const startMs = performance.now();
    try {
      this.#parts.decode.setSampling(request.sampling);
      this.#parts.decode.setState(this.#position, this.#pending);
      const end = Math.min(this.#position + request.maxTokens, this.contextTokens);
      const { resuming } = this.#parts;
      return yield* resuming ? this.#oneByOne(resuming, request, end) : this.#chained(request, end);
    } finally {
      this.#decodeMs += performance.now() - startMs;
      this.#leave();
    }
  }

  /** Where no expert can be missed: several steps a submission, two submissions in flight. */
  async *#chained(request: GenerateRequest, end: number): AsyncGenerator<SampledToken, FinishReason> {
    const { runner, tokensInFlight } = this.#parts;
    const inFlight: PendingTokens[] = [];
    try {
      let submitted = this.#position;
      for (;;) {
        while (inFlight.length < SUBMISSIONS_IN_FLIGHT && submitted < end && !request.signal?.aborted) {
          const nSteps = Math.min(tokensInFlight, end - submitted);
          inFlight.push(runner.submit(submitted, nSteps, request.routing ?? false));
          submitted += nSteps;
        }
        if (inFlight.length === 0) break;
        for (const token of await inFlight.shift()!) {
          this.#position = token.position;
          this.#pending = token.id;
          yield token;
          if (request.endIds.has(token.id)) return 'end-token';
          if (request.signal?.aborted) return 'cancelled';
        }
      }
      if (request.signal?.aborted) return 'cancelled';
      return this.#whyEnded();
    } finally {
      await Promise.allSettled(inFlight); // what was sampled past the end is forgotten
    }
  }

  async *#oneByOne(
    resuming: ResumingDecoder,
    { signal, routing, endIds }: GenerateRequest,
    end: number,
  ): AsyncGenerator<SampledToken, FinishReason> {
    while (this.#position < end) {
      if (signal?.aborted) return 'cancelled';
      let token: SampledToken;
      try {
        token = await resuming.token(this.#position, routing ?? false, signal);
      } catch (error) {
        if (signal?.aborted && error === signal.reason) return 'cancelled';
        throw error;
      }
      this.#position = token.position;
      this.#pending = token.id;
      yield token;
      if (endIds.has(token.id)) return 'end-token';
    }
    return signal?.aborted ? 'cancelled' : this.#whyEnded();
  }

  #whyEnded(): FinishReason {
    return this.#position >= this.contextTokens ? 'context-full' : 'max-tokens';
  }

  truncate(position: number): void {
    this.#assertFree();
    const most = this.#position + (this.#pending === null ? 0 : 1);
    invariant(Number.isInteger(position) && position >= 0 && position <= most, `truncate to ${position} of ${most} tokens`);
    if (position === this.#position + 1) return;
    this.#position = position;
    this.#pending = null;
  }

  async logits(tokens: ArrayLike<number>): Promise<Float32Array> {
    const ids = this.#restart(tokens);
    return this.#busy(async () => {
      const result = await this.#parts.prefill.run(ids, 0, { logits: true });
      invariant(result, 'logits were asked for');
      this.#position = ids.length;
      return result;
    });
  }

  async decodeLogits(tokens: ArrayLike<number>): Promise<Float32Array> {
    const ids = this.#restart(tokens);
    return this.#busy(async () => {
      this.#parts.decode.setSampling(GREEDY);
      const result = await (this.#parts.resuming ?? this.#parts.runner).logits(ids, 0);
      this.#position = ids.length;
      return result;
    });
  }

  async readKv(layer: number, nTokens: number): Promise<{ keys: Uint32Array; values: Uint32Array }> {
    invariant(nTokens >= 1 && nTokens <= this.#position, `KV of ${nTokens} of ${this.#position} tokens`);
    return this.#busy(() => readKvRows(this.#parts.context, layer, nTokens));
  }

  counters(): EngineCounters {
    const { totals: decode } = this.#parts.runner;
    const { totals: prefill } = this.#parts.prefill;
    return {
      decodeTokens: decode.tokens,
      prefillTokens: prefill.tokens,
      dispatches: decode.dispatches + prefill.dispatches,
      decodeDispatches: decode.dispatches,
      submissions: decode.submissions + prefill.submissions,
      readbacks: decode.readbacks + prefill.readbacks,
      decodeReadbacks: decode.readbacks,
      readbackBytes: decode.readbackBytes + prefill.readbackBytes,
      weightBytesTouched: decode.tokens * this.#stepBytes.touched,
      weightBytesRequired: decode.tokens * this.#stepBytes.required,
      encodeMs: decode.encodeMs + prefill.encodeMs,
      decodeMs: this.#decodeMs,
      prefillMs: this.#prefillMs,
    };
  }

  residency(): ResidencyCounters {
    return this.#parts.residency?.counters() ?? noCounts(this.#parts.slotsBytes);
  }

  async measureStepMs(): Promise<number> {
    invariant(this.#position === 0 && this.#pending === null, 'a step is measured in an empty sequence');
    const { context, decode, residency } = this.#parts;
    decode.setSampling(GREEDY);
    return this.#busy(() => measureStepMs(context, decode, residency));
  }

  resizeRamPool(bytes: number): void {
    this.#parts.residency?.resizeRamPool(bytes);
  }

  async stop(): Promise<void> {
    await this.#parts.residency?.stop();
  }

  memory(): MemoryLedger {
    return this.#parts.context.gpu.buffers.ledger();
  }

  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    for (const release of [...this.#parts.releases].reverse()) release();
  }

  /** An empty sequence for `tokens`, which it checks. */
  #restart(tokens: ArrayLike<number>): Uint32Array {
    invariant(tokens.length > 0, 'logits of at least one token');
    this.truncate(0);
    this.#requireRoom(tokens.length);
    this.#requireIds(tokens);
    return Uint32Array.from(tokens);
  }

  #requireRoom(nTokens: number): void {
    if (nTokens <= this.contextTokens) return;
    throw engineError(
      'engine.context-full',
      `The sequence would have ${nTokens} tokens; the context holds ${this.contextTokens}. Shorten it or choose a longer context.`,
      { neededTokens: nTokens, contextTokens: this.contextTokens },
    );
  }

  #requireIds(tokens: ArrayLike<number>): void {
    const wrong = Array.from(tokens).find((id) => !Number.isInteger(id) || id < 0 || id >= this.model.vocabularySize);
    invariant(wrong === undefined, `token id ${wrong} is outside the vocabulary of ${this.model.vocabularySize}`);
  }

  async #busy<T>(work: () => Promise<T>): Promise<T> {
    this.#enter();
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  #assertFree(): void {
    invariant(!this.#isDisposed, 'the engine is disposed of');
    invariant(!this.#isBusy, 'one call of the engine at a time');
  }

  #enter(): void {
    this.#assertFree();
    this.#isBusy = true;
  }

  #leave(): void {
    this.#isBusy = false;
  }
}
