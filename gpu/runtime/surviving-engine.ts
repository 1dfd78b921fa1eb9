/**
 * An engine that outlives its device: where the device is lost, or runs out of memory at work, another one is opened, the model loaded by the same
 * (or the next smaller) plan, and the answer that was being written goes on with the same ids. Once in an answer and once between two.
 */
import { isForMemory, type GpuDevice } from '../device/open-device.ts';
import { engineError, isConclaveError, type ConclaveError } from '../errors.ts';
import type { OffloadPlan } from '../residency/plan/types.ts';
import { EngineSession, type SessionCallbacks, type SessionRequest, type SessionResult } from './session.ts';
import type { Engine, EngineOptions } from './types.ts';
import { UseCounts } from './use-counts.ts';

export type AgainOptions = Pick<EngineOptions, 'signal' | 'onProgress' | 'warmCounts'>;

/** A loaded model, and how to load it again on another device. */
export interface MadeEngine {
  readonly engine: Engine;
  readonly plan: OffloadPlan | null;
  /** Same context, same numeric settings; a smaller plan where memory is what failed. Nothing stays allocated where it rejects. */
  again(gpu: GpuDevice, failedForMemory: boolean, options: AgainOptions): Promise<MadeEngine>;
}

export interface SurvivingEngineDependencies {
  openDevice(): Promise<GpuDevice>;
  /** Uses of experts before this engine, per MoE layer. */
  readonly warmCounts?: readonly ArrayLike<number>[];
  /** The device failed, and is being had again. */
  onReset(fault: ConclaveError): void;
  /** All is as before; `plan` may be smaller. */
  onRestored(gpu: GpuDevice, made: MadeEngine): void;
  /** It could not be had again; the engine is of no more use. */
  onLost(error: ConclaveError): void;
  /** For tests. */
  pause?(delayMs: number): Promise<void>;
}

/** More is not chance any more: whoever loaded the model decides. */
const MOST_RESETS = 1;
/** A GPU process that crashed, or a driver that was reset, takes a moment to come back. */
const TRY_AFTER_MS = [0, 250, 1000, 3000] as const;

export class SurvivingEngine {
  readonly #deps: SurvivingEngineDependencies;
  readonly #session: EngineSession;
  readonly #uses: UseCounts;
  readonly #ending = new AbortController();
  #gpu: GpuDevice;
  #made: MadeEngine;
  #isHeld = true;
  /** Told by the device, and not dealt with yet. */
  #fault: ConclaveError | null = null;
  #gone: ConclaveError | null = null;
  #reset: Promise<void> | null = null;
  #nResets = 0;
  #isAnswering = false;

  /** Takes over `gpu` and the engine of `made`. */
  constructor(gpu: GpuDevice, made: MadeEngine, deps: SurvivingEngineDependencies) {
    this.#deps = deps;
    this.#gpu = gpu;
    this.#made = made;
    this.#session = new EngineSession(made.engine);
    this.#uses = new UseCounts(made.engine.model, deps.warmCounts);
    this.#watch(gpu);
  }

  /** The present one: after a reset it is another. */
  get engine(): Engine {
    return this.#made.engine;
  }

  /** The present device, once it is there. */
  async device(): Promise<GpuDevice> {
    await this.#reset;
    return this.#gpu;
  }

  /** As the session does; rejects with the fault where the engine could not be had again or failed twice in this answer. */
  async generate(request: SessionRequest, callbacks: SessionCallbacks): Promise<SessionResult> {
    await this.#reset;
    this.#throwIfGone();
    this.#isAnswering = true;
    this.#nResets = 0;
    try {
      let run = () => this.#session.generate(request, this.#counting(callbacks));
      for (;;) {
        try {
          return await run();
        } catch (error) {
          const fault = await this.#faultBehind(error);
          if (!fault || this.#ending.signal.aborted) throw error;
          await settledOrAborted(this.#recover(fault), request.signal);
          this.#throwIfGone();
          run = () => this.#session.resume();
        }
      }
    } finally {
      this.#isAnswering = false;
      this.#nResets = 0;
      if (this.#fault) void this.#recover(this.#fault); // it came when the last token was there
    }
  }

  /** Frees everything, whatever is at work. */
  async end(): Promise<void> {
    this.#ending.abort(engineError('engine.cancelled', 'The model is being unloaded.'));
    await this.#reset;
    await this.#letGo();
  }

  #watch(gpu: GpuDevice): void {
    void gpu.lost.then((fault) => {
      if (gpu !== this.#gpu || this.#gone || this.#ending.signal.aborted) return;
      this.#fault = fault;
      if (!this.#isAnswering && !this.#reset) void this.#recover(fault); // else whoever is at work runs into it
    });
  }

  #throwIfGone(): void {
    if (this.#gone) throw this.#gone;
    this.#ending.signal.throwIfAborted();
  }

  /** What the device says of an error that came up at work; null: it has nothing to do with it. */
  async #faultBehind(error: unknown): Promise<ConclaveError | null> {
    const told: unknown = await this.#gpu.orLost(Promise.reject(error)).catch((reason: unknown) => reason);
    return isConclaveError(told) && ['gpu.device-lost', 'gpu.out-of-memory'].includes(told.code) ? told : null;
  }

  #counting(callbacks: SessionCallbacks): SessionCallbacks {
    const { onRouting } = callbacks;
    if (!onRouting) return callbacks;
    return {
      ...callbacks,
      onRouting: (routing) => {
        this.#uses.add(routing);
        onRouting(routing);
      },
    };
  }

  #recover(fault: ConclaveError): Promise<void> {
    this.#fault = null;
    this.#reset ??= this.#goOn(fault).finally(() => (this.#reset = null));
    return this.#reset;
  }

  /** Never rejects. */
  async #goOn(fault: ConclaveError): Promise<void> {
    try {
      if (this.#nResets++ >= MOST_RESETS) throw fault;
      this.#deps.onReset(fault);
      await this.#letGo();
      await this.#restore(isForMemory(fault));
    } catch (error) {
      await this.#letGo();
      if (this.#ending.signal.aborted) return;
      this.#gone = isConclaveError(error) ? error : notLoadedAgain(error);
      this.#deps.onLost(this.#gone);
    }
  }

  async #restore(failedForMemory: boolean): Promise<void> {
    const { signal } = this.#ending;
    const gpu = await this.#sameDevice();
    try {
      const made = await this.#made.again(gpu, failedForMemory, { signal, warmCounts: this.#uses.counts, onProgress() {} });
      this.#gpu = gpu;
      this.#made = made;
      this.#isHeld = true;
      signal.throwIfAborted();
    } catch (error) {
      if (!this.#isHeld) gpu.dispose();
      throw error;
    }
    this.#session.moveTo(this.engine);
    this.#watch(gpu);
    this.#deps.onRestored(gpu, this.#made);
  }

  /** Another adapter would compute other bits, and the plan was not made for it. */
  async #sameDevice(): Promise<GpuDevice> {
    const { description } = this.#gpu.capabilities;
    const { openDevice, pause = wait } = this.#deps;
    let found = '';
    for (const delayMs of TRY_AFTER_MS) {
      if (delayMs > 0) await pause(delayMs);
      this.#ending.signal.throwIfAborted();
      try {
        const gpu = await openDevice();
        if (gpu.capabilities.description === description) return gpu;
        found = `found: ${gpu.capabilities.description}`;
        gpu.dispose();
      } catch (error) {
        found = error instanceof Error ? error.message : String(error);
      }
    }
    throw engineError(
      'gpu.device-lost',
      `The graphics device ${description} was lost and did not come back (${found}). Ask again once it is there; if this goes on, update its driver or restart the computer.`,
      { description, found },
    );
  }

  async #letGo(): Promise<void> {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    await this.#made.engine.stop();
    this.#made.engine.dispose();
    this.#gpu.dispose();
  }
}

function notLoadedAgain(error: unknown) {
  const message = `The GPU device was lost, and the model could not be loaded again: ${String(error)}.`;
  return engineError('gpu.device-lost', message, {}, error);
}

/** Resolves when `work` has settled or `signal` is aborted. */
async function settledOrAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work;
  let stop = () => {};
  const aborted = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) resolve();
  });
  await Promise.race([work, aborted]);
  signal.removeEventListener('abort', stop);
}

function wait(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
