/** An engine on the plan that fits the open device. Where the device refuses the memory after all, the engine goes on with fewer slots. */
import type { ModelSpec } from '../architectures/types.ts';
import type { GpuDevice } from '../device/open-device.ts';
import { planForDevice, type DevicePlan, type PlanWishes } from '../residency/plan/plan-for-device.ts';
import type { Surroundings } from '../residency/plan/types.ts';
import type { Engine, EngineOptions } from './types.ts';

export interface PlannedEngineRequest extends PlanWishes {
  readonly surroundings: Surroundings;
  /** Everything else of the engine's options. */
  readonly options: Omit<EngineOptions, 'model' | 'contextTokens' | 'residency' | 'expertsUsed'>;
  readonly create: (gpu: GpuDevice, options: EngineOptions) => Promise<Engine>;
}

export interface PlannedEngine extends DevicePlan {
  readonly engine: Engine;
}

/** Throws `engine.budget` with the least that works, `gpu.*`, and what `create` throws; then nothing stays allocated. */
export async function createPlannedEngine(
  gpu: GpuDevice,
  model: ModelSpec,
  request: PlannedEngineRequest,
): Promise<PlannedEngine> {
  const { surroundings, options, create, ...wishes } = request;
  const { plan, measured } = await planForDevice(gpu, model, wishes, surroundings, options.signal);
  const { contextTokens, prefillChunkTokens, residency } = plan;
  const planned = { model, contextTokens, residency, expertsUsed: wishes.expertsUsed };
  return { plan, measured, engine: await create(gpu, { prefillChunkTokens, ...options, ...planned }) };
}
