/**
 * An engine on the plan that fits the open device, and again on another device by the same plan. Where the device refuses the memory after
 * all, the next smaller plan is taken: what the plan says is what the engine has.
 */
import type { ModelSpec } from '../architectures/types.ts';
import type { GpuDevice } from '../device/open-device.ts';
import { engineError, isConclaveError } from '../errors.ts';
import { planForDevice, type DevicePlan, type PlanWishes } from '../residency/plan/plan-for-device.ts';
import type { ContextWish, DeviceLinks, OffloadPlan, Surroundings } from '../residency/plan/types.ts';
import type { Engine, EngineOptions } from './types.ts';

type FreeOptions = Omit<EngineOptions, 'model' | 'contextTokens' | 'residency' | 'expertsUsed' | 'kvType'>;

export interface PlannedEngineRequest extends PlanWishes {
  readonly surroundings: Surroundings;
  /** Everything else of the engine's options. */
  readonly options: FreeOptions;
  readonly create: (gpu: GpuDevice, options: EngineOptions) => Promise<Engine>;
}

export interface PlannedEngine {
  readonly engine: Engine;
  readonly plan: OffloadPlan;
  /** What was measured now; null: it was known. */
  readonly measured: DeviceLinks | null;
  /**
   * The same model with the same context on another device, by the same plan, or by the next smaller one where memory is what failed. Throws what
   * `create` throws, `gpu.out-of-memory` where no smaller plan is left; then nothing stays allocated.
   */
  again(gpu: GpuDevice, failedForMemory: boolean, options: FreeOptions): Promise<PlannedEngine>;
}

/** Throws `engine.budget` with the least that works, `gpu.*`, and what `create` throws; then nothing stays allocated. */
export async function createPlannedEngine(
  gpu: GpuDevice,
  model: ModelSpec,
  request: PlannedEngineRequest,
): Promise<PlannedEngine> {
  const { surroundings, options, create, ...wishes } = request;
  const { plan, ...of } = await planForDevice(gpu, model, wishes, surroundings, options.signal);
  return createByPlan(gpu, { model, ...wishes, create, ...of }, plan, options, null);
}

interface Making extends Omit<DevicePlan, 'plan'>, Pick<PlanWishes, 'expertsUsed' | 'measureOnlyToShare'> {
  readonly model: ModelSpec;
  readonly create: PlannedEngineRequest['create'];
}

async function createByPlan(
  gpu: GpuDevice,
  making: Making,
  wanted: OffloadPlan,
  options: FreeOptions,
  context: ContextWish | null,
): Promise<PlannedEngine> {
  const { model, expertsUsed, create, smaller, measured, predictedAt } = making;
  for (let plan = wanted; ;) {
    const { contextTokens, kvType, prefillChunkTokens, residency } = plan;
    const planned = { model, contextTokens, kvType, residency, expertsUsed };
    try {
      const engine = await create(gpu, { prefillChunkTokens, ...options, ...planned });
      const predicts = !making.measureOnlyToShare || plan.slotShare < 1;
      const stepMs = predicts ? await stepMsOf(engine) : null;
      return {
        engine,
        plan: stepMs === null ? plan : predictedAt(plan, stepMs),
        measured,
        async again(other, failedForMemory, more) {
          const same = { tokens: contextTokens, fixed: true };
          const then = failedForMemory ? smaller(plan, same) : plan;
          if (!then) throw nothingLeft(plan);
          return createByPlan(other, { ...making, measured: null }, then, { ...options, ...more }, same);
        },
      };
    } catch (error) {
      const fewer = isConclaveError(error) && error.code === 'gpu.out-of-memory' ? smaller(plan, context) : null;
      if (!fewer) throw error;
      plan = fewer;
    }
  }
}

/** Null where the engine computes nothing. */
async function stepMsOf(engine: Engine): Promise<number | null> {
  try {
    return (await engine.measureStepMs?.()) ?? null;
  } catch (error) {
    engine.dispose();
    throw error;
  }
}

function nothingLeft({ gpu: { totalBytes } }: OffloadPlan) {
  return engineError(
    'gpu.out-of-memory',
    `The GPU has no room for the ${Math.ceil(totalBytes / 2 ** 20)} MiB that this model needs at the least. Close other programs that use the GPU, shorten the context or choose a smaller model.`,
    { neededBytes: totalBytes },
  );
}
