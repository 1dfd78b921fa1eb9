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
  const { plan, measured, smaller } = await planForDevice(gpu, model, wishes, surroundings, options.signal);
  return createByPlan(gpu, { model, expertsUsed: wishes.expertsUsed, create, smaller, measured }, plan, options, null);
}

interface Making extends Pick<DevicePlan, 'smaller' | 'measured'> {
  readonly model: ModelSpec;
  readonly expertsUsed: number | undefined;
  readonly create: PlannedEngineRequest['create'];
}

async function createByPlan(
  gpu: GpuDevice,
  making: Making,
  wanted: OffloadPlan,
  options: FreeOptions,
  context: ContextWish | null,
): Promise<PlannedEngine> {
  const { model, expertsUsed, create, smaller, measured } = making;
  for (let plan = wanted; ;) {
    const { contextTokens, kvType, prefillChunkTokens, residency } = plan;
    const planned = { model, contextTokens, kvType, residency, expertsUsed };
    try {
      const engine = await create(gpu, { prefillChunkTokens, ...options, ...planned });
      return {
        engine,
        plan,
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

function nothingLeft({ gpu: { totalBytes } }: OffloadPlan) {
  return engineError(
    'gpu.out-of-memory',
    `The GPU has no room for the ${Math.ceil(totalBytes / 2 ** 20)} MiB that this model needs at the least. Close other programs that use the GPU, shorten the context or choose a smaller model.`,
    { neededBytes: totalBytes },
  );
}
