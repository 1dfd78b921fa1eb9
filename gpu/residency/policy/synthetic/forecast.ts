/**
 * What a model too large to run here would do on a computer that is not here: a synthetic trace through the default policy gives hit rates, the
 * planner (gpu/residency/plan) does the rest. A forecast, no measurement: nothing in it has run.
 */
import { planOffload } from '../../plan/plan.ts';
import type { OffloadPlan } from '../../plan/types.ts';
import { isConclaveError } from '../../../errors.ts';
import { againstBelady } from '../compare.ts';
import { defaultPolicy } from '../policies.ts';
import { simulate } from '../simulate.ts';
import type { RoutingTrace } from '../trace.ts';
import type { SyntheticMachine } from './machines.ts';
import { numbersOf, type SyntheticModel } from './models.ts';

/** After the names of the report: which cost decides. */
export type Regime =
  'all resident' | 'misses are rare' | 'misses are common' | 'misses decide' | 'layers are streamed' | 'does not fit';

export interface Forecast {
  readonly regime: Regime;
  /** null: it does not fit; `leastBytes` says what would. */
  readonly plan: OffloadPlan | null;
  readonly leastBytes: number | null;
}

/** Shares of experts with a slot that are simulated; the planner goes straight between them. */
const SHARES = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875] as const;

/** Slots → hits of the default policy, and how far Belady is. `nSlots` at least K. */
export function simulatedCurve(trace: RoutingTrace): { share: number; hitRate: number; missesOverBelady: number }[] {
  const slots = new Set(SHARES.map((share) => Math.max(trace.nUsed, Math.round(share * trace.nExperts))));
  return [...slots]
    .filter((nSlots) => nSlots < trace.nExperts)
    .map((nSlots) => {
      const own = simulate(trace, { nSlots, policy: defaultPolicy, start: 'filled' });
      const best = simulate(trace, { nSlots, policy: 'belady', start: 'filled' });
      return {
        share: nSlots / trace.nExperts,
        hitRate: own.hitRate,
        missesOverBelady: againstBelady(own, best).missesOverBelady,
      };
    });
}

export function forecast(model: SyntheticModel, machine: SyntheticMachine, curve: ReturnType<typeof simulatedCurve>): Forecast {
  const hitCurve = curve.map(({ share, hitRate }) => [share, hitRate] as const);
  try {
    const plan = planOffload(numbersOf(model, machine.bindingBytes), {
      budgets: { gpuBytes: null, ramBytes: null },
      machine: machine.figures,
      context: null,
      history: { computeMsPerToken: null, hitCurve },
    });
    return { regime: regimeOf(plan), plan, leastBytes: null };
  } catch (error) {
    if (!isConclaveError(error) || error.code !== 'engine.budget') throw error;
    return { regime: 'does not fit', plan: null, leastBytes: Number(error.details.leastBytes) };
  }
}

function regimeOf({ layers, prediction }: OffloadPlan): Regime {
  if (layers.slotted + layers.streamed === 0) return 'all resident';
  if (layers.streamed > layers.slotted) return 'layers are streamed';
  if (prediction.hitRate >= 0.99) return 'misses are rare';
  return prediction.hitRate >= 0.7 ? 'misses are common' : 'misses decide';
}
