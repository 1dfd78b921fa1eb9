/** What the experts did during one answer: uses per layer and expert from the routing records that ride with the ids, and where they were found. */
import type { ModelSpec } from '../architectures/types.ts';
import { ReuseDepths } from '../residency/policy/reuse-depths.ts';
import type { ExpertActivity, ResidencyCounters } from '../residency/types.ts';
import type { Engine } from './types.ts';

/** Reports are this far apart: a heat map needs no more. */
const REPORT_EVERY_MS = 250;

type Counted = Pick<ResidencyCounters, 'missesFromRam' | 'missesFromDisk' | 'substitutes'>;

export class ExpertActivityRecorder {
  /** The present one: after a reset of the device it is another. */
  readonly #present: () => Engine;
  readonly #report: (activity: ExpertActivity) => void;
  readonly #nowMs: () => number;
  /** Of all answers of the model. */
  readonly #depths: ReuseDepths;
  readonly #usesByDepth: number[];
  readonly #layers: { readonly layer: number; readonly uses: number[] }[];
  #engine: Engine;
  #start: ResidencyCounters;
  /** On engines before this one. */
  #before: Counted = { missesFromRam: 0, missesFromDisk: 0, substitutes: 0 };
  #tokens = 0;
  #nUsed = 0;
  #reportedAtMs = -Infinity;

  constructor(
    present: () => Engine,
    depths: ReuseDepths,
    report: (activity: ExpertActivity) => void,
    nowMs: () => number = () => performance.now(),
  ) {
    this.#present = present;
    this.#depths = depths;
    this.#engine = present();
    this.#report = report;
    this.#nowMs = nowMs;
    this.#layers = moeLayers(this.#engine.model).map(({ layer, nExperts }) => ({
      layer,
      uses: new Array<number>(nExperts).fill(0),
    }));
    this.#usesByDepth = this.#layers[0].uses.map(() => 0);
    this.#start = this.#engine.residency();
  }

  /** The prompt is read: what was missed on the way is not the answer's. */
  begin(): void {
    this.#engine = this.#present();
    this.#start = this.#engine.residency();
  }

  /** The answer goes on, maybe on another engine: what was missed on the way is not the answer's. */
  resume(): void {
    this.#before = this.#counted();
    this.begin();
  }

  /** `routing`: expert ids [MoE layers, K] of one token. */
  add(routing: Uint16Array): void {
    this.#tokens++;
    this.#nUsed = routing.length / this.#layers.length;
    this.#depths.add(routing, this.#usesByDepth);
    routing.forEach((expert, i) => this.#layers[Math.floor(i / this.#nUsed)].uses[expert]++);
    if (this.#nowMs() - this.#reportedAtMs >= REPORT_EVERY_MS) this.finish();
  }

  /** Reports what there is; nothing where nothing was counted. */
  finish(): void {
    if (this.#tokens === 0) return;
    this.#reportedAtMs = this.#nowMs();
    const { missesFromRam, missesFromDisk, substitutes } = this.#counted();
    this.#report({
      tokens: this.#tokens,
      nUsed: this.#nUsed,
      layers: this.#layers.map(({ layer, uses }) => ({ layer, uses: [...uses] })),
      usesByDepth: [...this.#usesByDepth],
      hits: Math.max(0, this.#tokens * this.#nUsed * this.#layers.length - missesFromRam - missesFromDisk),
      missesFromRam,
      missesFromDisk,
      substitutes,
      gpuMemory: this.#engine.memory(),
      ramPoolBytes: this.#engine.residency().ramPoolBytes,
    });
  }

  /** Since the answer began. */
  #counted(): Counted {
    const now = this.#engine.residency();
    const since = (key: keyof Counted) => this.#before[key] + now[key] - this.#start[key];
    return {
      missesFromRam: since('missesFromRam'),
      missesFromDisk: since('missesFromDisk'),
      substitutes: since('substitutes'),
    };
  }
}

/** For the answers of a model that has experts. */
export function reuseDepthsOf(model: ModelSpec): ReuseDepths {
  const layers = moeLayers(model);
  return new ReuseDepths(layers.length, layers[0]?.nExperts ?? 0);
}

function moeLayers(model: ModelSpec): { layer: number; nExperts: number }[] {
  return model.layers.flatMap(({ index, ffn }) => (ffn.kind === 'moe' ? [{ layer: index, nExperts: ffn.moe.nExperts }] : []));
}
