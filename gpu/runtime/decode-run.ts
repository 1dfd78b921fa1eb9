/**
 * Runs the decode plan: several steps a submission, two submissions in flight, one mapAsync each. Nothing accumulates on the host: the ids
 * of a step stay on the GPU for the next one, and what was sampled past an end is forgotten by setting the position back.
 */
import type { GpuDevice } from '../device/open-device.ts';
import { alignUp } from '../device/usage.ts';
import { invariant } from '../invariant.ts';
import { MAX_STEPS, RING_HEAD_BYTES } from './decode-activations.ts';
import { NO_MISS, type DecodePlan } from './decode-plan.ts';
import { ReadRing } from './read-ring.ts';
import type { SampledToken } from './types.ts';

/** One is read back while the next one computes. */
export const SUBMISSIONS_IN_FLIGHT = 2;

/** Tokens of a replay that are queued at once: a cancelled one ends no sooner. */
const FEED_BATCH = 8;

export interface DecodeTotals {
  tokens: number;
  dispatches: number;
  submissions: number;
  readbacks: number;
  readbackBytes: number;
  encodeMs: number;
}

/** Tokens of a submission, once they are there. */
export type PendingTokens = Promise<readonly SampledToken[]>;

export class DecodeRunner {
  readonly totals: DecodeTotals = { tokens: 0, dispatches: 0, submissions: 0, readbacks: 0, readbackBytes: 0, encodeMs: 0 };
  readonly #gpu: GpuDevice;
  readonly #plan: DecodePlan;
  readonly #ring: ReadRing;
  #logits: { readonly ring: ReadRing; readonly batch: number } | null = null;

  static async create(gpu: GpuDevice, plan: DecodePlan): Promise<DecodeRunner> {
    const sizeBytes = MAX_STEPS * plan.activations.ringStrideBytes;
    return new DecodeRunner(gpu, plan, await ReadRing.create(gpu, 'decode read', SUBMISSIONS_IN_FLIGHT, sizeBytes));
  }

  private constructor(gpu: GpuDevice, plan: DecodePlan, ring: ReadRing) {
    this.#gpu = gpu;
    this.#plan = plan;
    this.#ring = ring;
  }

  /** Submits `nSteps` steps, the first of which feeds the token at `position`; at most SUBMISSIONS_IN_FLIGHT may be unread. */
  submit(position: number, nSteps: number, routing: boolean): PendingTokens {
    const { recordWords, ringStrideBytes, ring } = this.#plan.activations;
    const startMs = performance.now();
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'decode' });
    const pass = encoder.beginComputePass({ label: 'decode' });
    for (let step = 0; step < nSteps; step++)
      this.totals.dispatches += this.#plan.encode(pass, { position: position + step, step });
    pass.end();
    const target = this.#ring.take();
    const entryBytes = routing ? alignUp(RING_HEAD_BYTES + 2 * recordWords, 4) : RING_HEAD_BYTES;
    for (let step = 0; step < nSteps; step++) {
      const { buffer, offsetBytes } = ring(step);
      encoder.copyBufferToBuffer(buffer, offsetBytes, target, step * entryBytes, entryBytes);
    }
    this.#gpu.device.queue.submit([encoder.finish()]);
    this.totals.encodeMs += performance.now() - startMs;
    this.totals.submissions++;
    invariant(entryBytes <= ringStrideBytes, 'a ring entry holds the record');
    return this.#read(target, position, nSteps, entryBytes, routing);
  }

  /**
   * Feeds `tokens` from `position` on one by one; the logits `[n, V]` of each. Several tokens share a read-back. With `resumeLayer` each
   * step is run a second time from that layer's resume point (tests).
   */
  async logits(tokens: Uint32Array, position: number, resumeLayer?: number): Promise<Float32Array> {
    const { logits: source } = this.#plan.activations;
    const rowBytes = source.sizeBytes;
    const nLogits = rowBytes / 4;
    this.#logits ??= await this.#createLogits(rowBytes);
    const { ring, batch } = this.#logits;
    const out = new Float32Array(tokens.length * nLogits);
    for (let first = 0; first < tokens.length; first += batch) {
      const target = ring.take();
      const end = Math.min(first + batch, tokens.length);
      for (let i = first; i < end; i++) {
        this.#submitForced(tokens[i], position + i, resumeLayer, target, (i - first) * rowBytes);
      }
      const sizeBytes = (end - first) * rowBytes;
      out.set(new Float32Array(await ring.read(target, sizeBytes)), first * nLogits);
      this.totals.readbacks++;
      this.totals.readbackBytes += sizeBytes;
    }
    return out;
  }

  /** Feeds `tokens` from `position` on for their keys and values alone. Rejects with `gpu.device-lost`; ends early where `signal` is aborted. */
  async feed(tokens: Uint32Array, position: number, signal?: AbortSignal): Promise<number> {
    for (let done = 0; done < tokens.length;) {
      if (signal?.aborted) return done;
      const end = Math.min(done + FEED_BATCH, tokens.length);
      for (; done < end; done++) this.#submitFed(tokens[done], position + done);
      await this.#gpu.idle();
    }
    return tokens.length;
  }

  dispose(): void {
    this.#ring.dispose();
    this.#logits?.ring.dispose();
  }

  #submitFed(token: number, position: number): void {
    this.#plan.setState(position, token);
    const encoder = this.#gpu.device.createCommandEncoder({ label: 'replay' });
    const pass = encoder.beginComputePass({ label: 'replay' });
    this.totals.dispatches += this.#plan.encode(pass, { position, step: 0, stopLayer: this.#plan.lastLayer });
    pass.end();
    this.#gpu.device.queue.submit([encoder.finish()]);
    this.totals.submissions++;
  }

  #submitForced(token: number, position: number, resumeLayer: number | undefined, target: GPUBuffer, offsetBytes: number): void {
    const startMs = performance.now();
    for (const from of resumeLayer === undefined ? [undefined] : [undefined, resumeLayer]) {
      this.#plan.setState(position, token);
      const encoder = this.#gpu.device.createCommandEncoder({ label: 'decode logits' });
      const pass = encoder.beginComputePass({ label: 'decode logits' });
      this.totals.dispatches += this.#plan.encode(pass, { position, step: 0, resumeLayer: from });
      pass.end();
      const { buffer, sizeBytes } = this.#plan.activations.logits;
      encoder.copyBufferToBuffer(buffer, 0, target, offsetBytes, sizeBytes);
      this.#gpu.device.queue.submit([encoder.finish()]);
      this.totals.submissions++;
    }
    this.totals.tokens++;
    this.totals.encodeMs += performance.now() - startMs;
  }

  async #createLogits(rowBytes: number) {
    const batch = Math.max(1, Math.min(16, Math.floor((4 * 2 ** 20) / rowBytes)));
    return { ring: await ReadRing.create(this.#gpu, 'logits read', 1, batch * rowBytes), batch };
  }

  async #read(target: GPUBuffer, position: number, nSteps: number, entryBytes: number, routing: boolean) {
    const sizeBytes = nSteps * entryBytes;
    const bytes = await this.#ring.read(target, sizeBytes);
    this.totals.readbacks++;
    this.totals.readbackBytes += sizeBytes;
    const { recordWords } = this.#plan.activations;
    return Array.from({ length: nSteps }, (_, step): SampledToken => {
      const [id, sampledPosition, miss] = new Uint32Array(bytes, step * entryBytes, 3);
      invariant(miss === NO_MISS, `an expert of layer ${miss} is in no slot although all are resident`);
      invariant(sampledPosition === position + step + 1, `step ${step} sampled position ${sampledPosition}`);
      this.totals.tokens++;
      if (!routing) return { id, position: sampledPosition };
      return {
        id,
        position: sampledPosition,
        routing: new Uint16Array(bytes, step * entryBytes + RING_HEAD_BYTES, recordWords),
      };
    });
  }
}
