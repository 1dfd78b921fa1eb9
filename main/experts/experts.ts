/**
 * Main's part in where experts live: what the engine needs to plan (budgets, free RAM, speeds measured before, the routing profile), and what
 * is kept of what it found. While a model is loaded, free RAM is watched and its pool shrinks rather than anything swaps.
 */
import { findLinks, machineFigures } from '../../gpu/residency/plan/machine.ts';
import type { OffloadPlan } from '../../gpu/residency/plan/types.ts';
import { hitCurveOf } from '../../gpu/residency/policy/reuse-depths.ts';
import type {
  EngineClient,
  EngineLoaded,
  EngineMachine,
  EnginePlanning,
  EngineSurroundings,
  EngineLinks,
} from '../contract/engine.ts';
import type { ExpertActivity } from '../contract/experts.ts';
import type { AdapterInfo, Settings } from '../contract/types.ts';
import { keepFound, readFound, type FoundMachine } from './found-store.ts';
import { keepLinks, readLinks } from './link-store.ts';
import { readRam, type RamFigures } from './memory.ts';
import { ProfileStore } from './profile-store.ts';
import { RamGuard } from './ram-guard.ts';

/** Answers of so many tokens say more of a model's hit rates than other models do. */
const LEAST_CURVE_TOKENS = 256;

export interface ExpertsDependencies {
  readonly dataFolder: string;
  readonly engine: EngineClient;
  readonly settings: () => Settings;
  readonly readRam?: () => RamFigures;
  readonly everySecond?: (look: () => void) => () => void;
}

export class ExpertsService {
  readonly profiles: ProfileStore;
  readonly #deps: ExpertsDependencies;
  readonly #readRam: () => RamFigures;
  #guard: RamGuard | null = null;
  #modelKey: string | null = null;
  #found: FoundMachine | null;

  constructor(deps: ExpertsDependencies) {
    this.#deps = deps;
    this.#readRam = deps.readRam ?? readRam;
    this.profiles = new ProfileStore(deps.dataFolder);
    this.#found = readFound(deps.dataFolder);
  }

  surroundings(): EngineSurroundings {
    const { freeBytes, totalBytes } = this.#readRam();
    return { ramFreeBytes: freeBytes, ramTotalBytes: totalBytes, links: readLinks(this.#deps.dataFolder) };
  }

  /** For a load of the model that `modelKey` names. */
  planning(modelKey: string): EnginePlanning {
    const { gpuBudgetBytes, ramBudgetBytes, approximateRouting } = this.#deps.settings();
    this.#modelKey = modelKey;
    const profile = this.profiles.read(modelKey);
    const warmCounts = profile?.counts ?? null;
    const hitCurve = profile && profile.tokens >= LEAST_CURVE_TOKENS ? hitCurveOf(profile.usesByDepth) : null;
    return { ...this.surroundings(), gpuBudgetBytes, ramBudgetBytes, warmCounts, hitCurve, approximateRouting };
  }

  /** Budgets and speeds as the last load with a plan found them, in this session or before; null before the first. */
  get found(): FoundMachine | null {
    return this.#found;
  }

  /** A model is loaded: keeps what was measured, watches over its pool. */
  loaded({ adapter, plan, measured }: EngineLoaded): void {
    this.unloaded();
    if (plan) this.#find(plan, adapter, measured);
    if (measured) this.#keep(() => keepLinks(this.#deps.dataFolder, measured));
    const { engine, everySecond = eachSecond } = this.#deps;
    this.#guard = new RamGuard(plan?.ram.poolBytes ?? 0, {
      readRam: this.#readRam,
      limit: (limitBytes) => engine.limitRamPool(limitBytes),
      everySecond,
    });
  }

  #find({ gpu, ram }: OffloadPlan, { description, software }: AdapterInfo, measured: EngineLinks | null): void {
    const surroundings = this.surroundings();
    const found = {
      budgets: { gpuBytes: gpu.budgetBytes, ramBytes: ram.budgetBytes },
      machine: machineFigures({
        unifiedMemory: ram.budgetBytes === 0,
        software,
        gpuFreeBytes: null,
        surroundings,
        links: measured ?? findLinks(surroundings.links, description),
      }),
    };
    this.#found = found;
    this.#keep(() => keepFound(this.#deps.dataFolder, found));
  }

  /** An answer of the loaded model ended: what it used makes the next start warm, unless it was bent to what was there anyway. */
  answered({ layers, usesByDepth, tokens, substitutes }: ExpertActivity): void {
    const modelKey = this.#modelKey;
    if (modelKey === null || substitutes > 0) return;
    this.#keep(() => this.profiles.add(modelKey, { counts: layers.map(({ uses }) => uses), usesByDepth, tokens }));
  }

  unloaded(): void {
    this.#guard?.stop();
    this.#guard = null;
  }

  /** What the engine sees of the machine; measures where nothing is known. */
  async probe(signal: AbortSignal): Promise<EngineMachine> {
    const surroundings = this.surroundings();
    const machine = await this.#deps.engine.probe(surroundings, signal);
    if (!surroundings.links.some(({ adapter }) => adapter === machine.links.adapter))
      this.#keep(() => keepLinks(this.#deps.dataFolder, machine.links));
    return machine;
  }

  /** A full disk must not keep a model from answering: what cannot be kept is measured again. */
  #keep(write: () => void): void {
    try {
      write();
    } catch (error) {
      console.warn(`Measurements could not be kept: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

function eachSecond(look: () => void): () => void {
  const timer = setInterval(look, 1000);
  timer.unref();
  return () => clearInterval(timer);
}
