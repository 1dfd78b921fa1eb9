/**
 * Decode where an expert may have no slot: one token at a time. A token runs on the slots as they are; what it lacked comes in its one read-back,
 * is fetched, and the token goes on at the first layer that lacked something, until it ran through whole. Layers behind a miss ran without
 * the absent experts: what they asked for is only a forecast, by which their experts are fetched in the same turn.
 */
import type { GpuDevice } from '../device/open-device.ts';
import { measureReadback } from '../device/probe-links.ts';
import { BufferUsage, MapMode } from '../device/usage.ts';
import { invariant } from '../invariant.ts';
import { RECORD_ID_MASK, RECORD_SUBSTITUTE } from '../kernels/experts-up/experts-up.ts';
import { stopAfter } from '../residency/cache/reach.ts';
import type { LayerDemand, Residency } from '../residency/cache/residency.ts';
import { RunMeter } from '../residency/cache/run-meter.ts';
import { topExperts } from '../residency/cache/top-experts.ts';
import { RING_HEAD_BYTES } from './decode-activations.ts';
import { NO_MISS, type DecodePlan } from './decode-plan.ts';
import type { DecodeTotals } from './decode-run.ts';
import type { PlanContext } from './plan-context.ts';
import type { SampledToken } from './types.ts';

interface MoeLayer {
  readonly layer: number;
  readonly nUsed: number;
  readonly nExperts: number;
}

/** What a run-through left: the id that it sampled (where it reached the end), and what its layers asked for. */
interface RunThrough {
  readonly id: number;
  readonly miss: number;
  readonly demands: readonly LayerDemand[];
}

export class ResumingDecoder {
  readonly #gpu: GpuDevice;
  readonly #plan: DecodePlan;
  readonly #context: PlanContext;
  readonly #residency: Residency;
  readonly #totals: DecodeTotals;
  readonly #layers: readonly MoeLayer[];
  readonly #read: GPUBuffer;
  readonly #meter: RunMeter;
  readonly #reach: number | undefined;

  /** Adds to `totals`. `reach`: layers of a run; absent: chosen by what is measured. */
  static async create(
    context: PlanContext,
    plan: DecodePlan,
    residency: Residency,
    totals: DecodeTotals,
    reach?: number,
  ): Promise<ResumingDecoder> {
    const { model, expertsUsed, gpu } = context;
    const layers = model.layers.flatMap(({ index, ffn }) =>
      ffn.kind === 'moe' ? [{ layer: index, nUsed: expertsUsed[index], nExperts: ffn.moe.nExperts }] : [],
    );
    const routerBytes = 4 * Math.max(...layers.map(({ nExperts }) => nExperts));
    const sizeBytes = Math.max(
      RING_HEAD_BYTES + 4 * plan.activations.recordWords + routerBytes,
      plan.activations.logits.sizeBytes,
    );
    const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
    const read = await gpu.buffers.allocate({ label: 'decode read', sizeBytes, usage, account: 'staging' });
    const history = model.layers.map(({ index }) =>
      residency.canMiss(index) ? { isCertain: residency.isStreamed(index), nUsed: expertsUsed[index] } : null,
    );
    const meter = new RunMeter(history, await measureReadback(gpu));
    return new ResumingDecoder(context, plan, residency, totals, layers, read, meter, reach);
  }

  private constructor(
    context: PlanContext,
    plan: DecodePlan,
    residency: Residency,
    totals: DecodeTotals,
    layers: readonly MoeLayer[],
    read: GPUBuffer,
    meter: RunMeter,
    reach: number | undefined,
  ) {
    this.#meter = meter;
    this.#reach = reach;
    this.#gpu = context.gpu;
    this.#context = context;
    this.#plan = plan;
    this.#residency = residency;
    this.#totals = totals;
    this.#layers = layers;
    this.#read = read;
  }

  /**
   * The token after the one that `state` feeds at `position`. Rejects as the source does, or with the signal's reason; `state` is then as it was
   * and the same token can be asked for again.
   */
  async token(position: number, routing: boolean, signal?: AbortSignal): Promise<SampledToken> {
    const { id, demands } = await this.#settle(position, signal);
    if (!routing) return { id, position: position + 1 };
    return { id, position: position + 1, routing: Uint16Array.from(demands.flatMap(({ experts }) => Array.from(experts))) };
  }

  /** Feeds `tokens` from `position` on one by one; the logits `[n, V]` of each. */
  async logits(tokens: Uint32Array, position: number): Promise<Float32Array> {
    const { logits } = this.#plan.activations;
    const nLogits = logits.sizeBytes / 4;
    const out = new Float32Array(tokens.length * nLogits);
    for (let i = 0; i < tokens.length; i++) {
      this.#plan.setState(position + i, tokens[i]);
      await this.#settle(position + i, undefined);
      const encoder = this.#gpu.device.createCommandEncoder({ label: 'logits' });
      encoder.copyBufferToBuffer(logits.buffer, 0, this.#read, 0, logits.sizeBytes);
      this.#gpu.device.queue.submit([encoder.finish()]);
      out.set(new Float32Array(await this.#readBack(logits.sizeBytes)), i * nLogits);
    }
    return out;
  }

  /** Feeds `tokens` from `position` on, as if each had been sampled. How many were fed before `signal` was aborted; rejects as `token` does. */
  async feed(tokens: Uint32Array, position: number, signal?: AbortSignal): Promise<number> {
    for (let i = 0; i < tokens.length; i++) {
      if (signal?.aborted) return i;
      this.#plan.setState(position + i, tokens[i]);
      await this.#settle(position + i, signal);
    }
    return tokens.length;
  }

  dispose(): void {
    this.#gpu.buffers.release(this.#read);
  }

  /** Runs the token until nothing was absent, and commits it. */
  async #settle(position: number, signal: AbortSignal | undefined): Promise<RunThrough> {
    const residency = this.#residency;
    residency.beginToken();
    this.#plan.clearMiss(); // of a token that was given up
    const reach = this.#reach ?? this.#meter.reach();
    let from: number | undefined;
    for (let isFirst = true; ; isFirst = false) {
      signal?.throwIfAborted();
      const stop = this.#stop(from, reach);
      const run = await this.#timedRun(position, from, stop);
      const looked = run.demands.filter(({ layer }) => from === undefined || layer >= from);
      const missing = looked.filter(({ layer, experts }) => residency.absent(layer, experts).length > 0);
      const miss = missing[0]?.layer;
      invariant(
        run.miss === (miss === undefined || miss === stop ? NO_MISS : miss),
        `layer ${run.miss} flagged a miss where the slot table has one in layer ${miss}`,
      );
      if (miss === undefined && stop === undefined) {
        if (isFirst) residency.totals.tokensWithoutMiss++;
        this.#commit(run);
        return run;
      }
      if (run.miss !== NO_MISS) this.#noteForecast(looked.filter(({ layer }) => layer > run.miss));
      await this.#fetch(missing, signal);
      if (run.miss !== NO_MISS) this.#plan.clearMiss();
      from = miss ?? stop;
      if (miss !== undefined) residency.totals.resumes++;
    }
  }

  /** The layer before whose experts a run from `from` ends. */
  #stop(from: number | undefined, reach: number): number | undefined {
    const { layers } = this.#meter;
    const stop = stopAfter(from ?? -1, reach, layers);
    return stop < layers.length ? stop : undefined;
  }

  async #timedRun(position: number, from: number | undefined, stop: number | undefined): Promise<RunThrough> {
    const startMs = performance.now();
    const run = await this.#run(position, from, stop);
    this.#meter.ran((stop ?? this.#meter.layers.length) - (from ?? -1), performance.now() - startMs);
    return run;
  }

  async #fetch(missing: readonly LayerDemand[], signal: AbortSignal | undefined): Promise<void> {
    const startMs = performance.now();
    const nExperts = await this.#residency.fetch(missing, signal);
    if (nExperts > 0) this.#meter.fetched(nExperts, performance.now() - startMs);
  }

  /** `later`: what the layers behind a miss asked for. */
  #noteForecast(later: readonly LayerDemand[]): void {
    if (later.length === 0) return;
    this.#residency.totals.scouts++;
    this.#meter.forecast(new Map(later.map(({ layer, experts }) => [layer, new Set(this.#residency.absent(layer, experts))])));
  }

  #commit({ demands }: RunThrough): void {
    this.#meter.committed(
      demands.map((demand) => ({ ...demand, missed: this.#residency.brought(demand.layer, demand.experts) })),
    );
    Object.assign(this.#residency.totals, this.#meter.totals);
    this.#residency.commit(demands);
    this.#totals.tokens++;
  }

  async #run(position: number, from: number | undefined, stop: number | undefined): Promise<RunThrough> {
    const { recordWords, expertRows, ring, routed, recordAt } = this.#plan.activations;
    const { state, routingMargins } = this.#context;
    const startMs = performance.now();
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'decode' });
    const pass = encoder.beginComputePass({ label: 'decode' });
    this.#totals.dispatches += this.#plan.encode(pass, { position, step: 0, resumeLayer: from, stopLayer: stop });
    pass.end();
    const recordsAt = recordAt(this.#layers[0].layer);
    // A whole run leaves id and miss in the ring, one that stopped leaves the miss in the state: the same word of both.
    const head = stop === undefined ? ring(0) : state;
    encoder.copyBufferToBuffer(head.buffer, head.offsetBytes, this.#read, 0, RING_HEAD_BYTES);
    encoder.copyBufferToBuffer(expertRows.buffer, 4 * recordsAt, this.#read, RING_HEAD_BYTES, 4 * recordWords);
    let sizeBytes = RING_HEAD_BYTES + 4 * recordWords;
    const stopped = this.#layers.find(({ layer }) => layer === stop);
    if (stopped) {
      const { buffer, offsetBytes } = routed(stopped.layer);
      encoder.copyBufferToBuffer(buffer, offsetBytes, this.#read, sizeBytes, 4 * stopped.nExperts);
      sizeBytes += 4 * stopped.nExperts;
    }
    this.#gpu.device.queue.submit([encoder.finish()]);
    this.#totals.encodeMs += performance.now() - startMs;
    this.#totals.submissions++;
    const bytes = await this.#readBack(sizeBytes);
    const [id, , miss] = new Uint32Array(bytes, 0, 3);
    const record = new Uint32Array(bytes, RING_HEAD_BYTES, recordWords);
    const demands = this.#layers.flatMap(({ layer, nUsed }): LayerDemand[] => {
      if (stop !== undefined && layer > stop) return [];
      if (layer === stop) {
        const logits = new Float32Array(bytes, RING_HEAD_BYTES + 4 * recordWords);
        const bent = { margin: routingMargins[layer], hasSlot: (expert: number) => this.#residency.hasSlot(layer, expert) };
        return [{ layer, experts: topExperts(logits.subarray(0, stopped!.nExperts), nUsed, bent), substitutes: 0 }];
      }
      const at = recordAt(layer) - recordsAt;
      const words = record.subarray(at, at + nUsed);
      const substitutes = words.filter((word) => (word & RECORD_SUBSTITUTE) !== 0).length;
      return [{ layer, experts: words.map((word) => word & RECORD_ID_MASK), substitutes }];
    });
    return { id, miss, demands };
  }

  async #readBack(sizeBytes: number): Promise<ArrayBuffer> {
    await this.#gpu.orLost(this.#read.mapAsync(MapMode.READ, 0, sizeBytes));
    const copy = this.#read.getMappedRange(0, sizeBytes).slice(0);
    this.#read.unmap();
    this.#totals.readbacks++;
    this.#totals.readbackBytes += sizeBytes;
    return copy;
  }
}
