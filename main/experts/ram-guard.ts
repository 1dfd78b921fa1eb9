/**
 * Keeps RAM free: looks each second, and where less than the floor is left tells the pool to give up what is missing; lets it grow again, in
 * small steps and only after a calm while, so that it does not swing. A smaller pool means more reads; swapping would stop the machine.
 */
import { RAM_FLOOR_SHARE } from '../../gpu/residency/plan/budgets.ts';
import type { RamFigures } from './memory.ts';

export interface RamGuardState {
  /** What the pool may hold now. */
  readonly limitBytes: number;
  readonly calmSeconds: number;
}

/** Above the floor by this share of all RAM before the pool may grow. */
const COMFORT_SHARE = 0.05;
const CALM_SECONDS = 10;
/** Of what is above the floor and comfort, what the pool may take back at once. */
const REGROWTH_SHARE = 0.5;

/** One look: pure. `poolBytes` is what the pool holds, `planBytes` what the plan gave it. */
export function ramGuardStep(state: RamGuardState, ram: RamFigures, poolBytes: number, planBytes: number): RamGuardState {
  const floorBytes = RAM_FLOOR_SHARE * ram.totalBytes;
  const shortBytes = floorBytes - ram.freeBytes;
  if (shortBytes > 0) {
    const held = Math.min(poolBytes, state.limitBytes);
    return { limitBytes: Math.max(0, Math.floor(held - shortBytes)), calmSeconds: 0 };
  }
  const spareBytes = -shortBytes - COMFORT_SHARE * ram.totalBytes;
  if (spareBytes <= 0 || state.limitBytes >= planBytes)
    return { limitBytes: Math.min(state.limitBytes, planBytes), calmSeconds: 0 };
  if (state.calmSeconds + 1 < CALM_SECONDS) return { ...state, calmSeconds: state.calmSeconds + 1 };
  return { limitBytes: Math.min(planBytes, Math.floor(state.limitBytes + REGROWTH_SHARE * spareBytes)), calmSeconds: 0 };
}

export interface RamGuardDependencies {
  readonly readRam: () => RamFigures;
  /** Tells the engine; resolves with the expert bytes that its pool holds then. */
  readonly limit: (limitBytes: number) => Promise<number>;
  /** Calls `look` each second until the returned function is called. */
  readonly everySecond: (look: () => void) => () => void;
}

/** Watches one loaded model. */
export class RamGuard {
  readonly #deps: RamGuardDependencies;
  readonly #planBytes: number;
  readonly #stop: () => void;
  #state: RamGuardState;
  /** As the engine said last; at first what it may become. */
  #poolBytes: number;
  #isLooking = false;

  constructor(planBytes: number, deps: RamGuardDependencies) {
    this.#deps = deps;
    this.#planBytes = planBytes;
    this.#poolBytes = planBytes;
    this.#state = { limitBytes: planBytes, calmSeconds: 0 };
    this.#stop = planBytes > 0 ? deps.everySecond(() => void this.#look()) : () => {};
  }

  stop(): void {
    this.#stop();
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return; // the engine is busy: the next second asks again
    this.#isLooking = true;
    try {
      const before = this.#state.limitBytes;
      const ram = this.#deps.readRam();
      // A pool that is not full yet gives nothing back: only what it holds counts.
      if (ram.freeBytes < RAM_FLOOR_SHARE * ram.totalBytes) this.#poolBytes = await this.#deps.limit(before);
      this.#state = ramGuardStep(this.#state, ram, this.#poolBytes, this.#planBytes);
      if (this.#state.limitBytes !== before) this.#poolBytes = await this.#deps.limit(this.#state.limitBytes);
    } catch {
      // The engine ended in between; whoever owns it says so, and stops this guard.
    } finally {
      this.#isLooking = false;
    }
  }
}
