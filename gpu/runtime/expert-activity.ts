/** What the experts did during one answer: uses per layer and expert from the routing records that ride with the ids, and where they were found. */
import type { ModelSpec } from '../architectures/types.ts';
import type { ExpertActivity, ResidencyCounters } from '../residency/types.ts';
import type { Engine } from './types.ts';

/** Reports are this far apart: a heat map needs no more. */
const REPORT_EVERY_MS = 250;

export class ExpertActivityRecorder {
  readonly #engine: Engine;
  readonly #report: (activity: ExpertActivity) => void;
  readonly #nowMs: () => number;
  readonly #layers: { readonly layer: number; readonly uses: number[] }[];
  #start: ResidencyCounters;
  #tokens = 0;
  #nUsed = 0;
  #reportedAtMs = -Infinity;

  constructor(engine: Engine, report: (activity: ExpertActivity) => void, nowMs: () => number = () => performance.now()) {
    this.#engine = engine;
    this.#report = report;
    this.#nowMs = nowMs;
    this.#layers = moeLayers(engine.model).map(({ layer, nExperts }) => ({ layer, uses: new Array<number>(nExperts).fill(0) }));
    this.#start = engine.residency();
  }

  /** The prompt is read: what was missed on the way is not the answer's. */
  begin(): void {
    this.#start = this.#engine.residency();
  }

  /** `routing`: expert ids [MoE layers, K] of one token. */
  add(routing: Uint16Array): void {
    this.#tokens++;
    this.#nUsed = routing.length / this.#layers.length;
    routing.forEach((expert, i) => this.#layers[Math.floor(i / this.#nUsed)].uses[expert]++);
    if (this.#nowMs() - this.#reportedAtMs >= REPORT_EVERY_MS) this.finish();
  }

  /** Reports what there is; nothing where nothing was counted. */
  finish(): void {
    if (this.#tokens === 0) return;
    this.#reportedAtMs = this.#nowMs();
    const now = this.#engine.residency();
    const missesFromRam = now.missesFromRam - this.#start.missesFromRam;
    const missesFromDisk = now.missesFromDisk - this.#start.missesFromDisk;
    this.#report({
      tokens: this.#tokens,
      nUsed: this.#nUsed,
      layers: this.#layers.map(({ layer, uses }) => ({ layer, uses: [...uses] })),
      hits: Math.max(0, this.#tokens * this.#nUsed * this.#layers.length - missesFromRam - missesFromDisk),
      missesFromRam,
      missesFromDisk,
      gpuMemory: this.#engine.memory(),
      ramPoolBytes: now.ramPoolBytes,
    });
  }
}

function moeLayers(model: ModelSpec): { layer: number; nExperts: number }[] {
  return model.layers.flatMap(({ index, ffn }) => (ffn.kind === 'moe' ? [{ layer: index, nExperts: ffn.moe.nExperts }] : []));
}
