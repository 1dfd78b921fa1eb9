/**
 * Submissions of a prefill: at most two queued, each cut to a target of GPU time by what the last ones took. A driver resets a GPU
 * that is busy too long (2 s on Windows), and a cancelled prefill ends no sooner than what is queued.
 */
import type { GpuDevice } from '../device/open-device.ts';

/** Half of the 100 ms that a submission may take: the estimate is only as good as the last measurement. */
const TARGET_MS = 50;
const MAX_QUEUED = 2;

export class SubmissionQueue {
  readonly #gpu: GpuDevice;
  readonly #nowMs: () => number;
  readonly #queued: Promise<void>[] = [];
  #doneMs = 0;
  #msPerUnit: number | null = null;
  #lastUnits = 1;

  constructor(gpu: GpuDevice, nowMs: () => number = () => performance.now()) {
    this.#gpu = gpu;
    this.#nowMs = nowMs;
  }

  /** How many units (layers) the next submission should hold: one until a time is known, then at most twice as many as the last. */
  nextUnits(left: number): number {
    if (this.#msPerUnit === null) return 1;
    const fitting = Math.floor(TARGET_MS / Math.max(this.#msPerUnit, 1e-3));
    return Math.max(1, Math.min(left, fitting, 2 * this.#lastUnits));
  }

  /** Waits until there is room, then submits. `onDone` is called when the GPU has finished it. */
  async submit(commands: GPUCommandBuffer, units: number, onDone?: () => void): Promise<void> {
    while (this.#queued.length >= MAX_QUEUED) await this.#queued.shift();
    const submittedMs = this.#nowMs();
    this.#lastUnits = units;
    this.#gpu.device.queue.submit([commands]);
    const done = this.#gpu.idle().then(() => {
      const nowMs = this.#nowMs();
      this.#msPerUnit = (nowMs - Math.max(submittedMs, this.#doneMs)) / units;
      this.#doneMs = nowMs;
      onDone?.();
    });
    done.catch(() => undefined); // whoever waits for room or for the end gets it
    this.#queued.push(done);
  }

  /** Resolves when all is done; rejects where the device was lost. */
  async drain(): Promise<void> {
    while (this.#queued.length > 0) await this.#queued.shift();
  }
}
