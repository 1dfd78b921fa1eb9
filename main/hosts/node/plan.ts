/** Plans and planned engines in this process: the open device, RAM that is free, speeds kept in the data folder. */
import type { ModelSpec } from '../../../gpu/architectures/types.ts';
import { openDevice } from '../../../gpu/device/open-device.ts';
import { isConclaveError } from '../../../gpu/errors.ts';
import type { KvType } from '../../../gpu/quant/kv-types.ts';
import { modelNumbers } from '../../../gpu/residency/plan/model-numbers.ts';
import {
  planForDevice,
  planForMachine,
  type Budget,
  type DevicePlan,
  type PlanWishes,
} from '../../../gpu/residency/plan/plan-for-device.ts';
import type { OffloadPlan, Surroundings } from '../../../gpu/residency/plan/types.ts';
import { keepLinks, readLinks } from '../../experts/link-store.ts';
import { readRam } from '../../experts/memory.ts';
import { chooseDataFolder } from '../launcher/data-folder.mjs';
import { nodeGpu, type AdapterChoice } from './gpu.ts';

export interface PlanOptions {
  readonly adapter: AdapterChoice;
  readonly contextTokens: number | undefined;
  readonly expertsUsed: number | undefined;
  readonly kvType: KvType | undefined;
  readonly gpuBudget: Budget | undefined;
  readonly ramBudget: Budget | undefined;
  /** Where speeds are kept; undefined: the user's own. */
  readonly dataFolder: string | undefined;
}

/** What every WebGPU adapter allows. */
const LEAST_LIMITS = { software: true, maxStorageBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 28 };

export function wishesOf({
  contextTokens,
  expertsUsed,
  kvType,
  gpuBudget,
  ramBudget,
  promptTokens,
  hitCurve,
}: Omit<PlanOptions, 'adapter' | 'dataFolder'> & Pick<PlanWishes, 'promptTokens' | 'hitCurve'>): PlanWishes {
  return {
    gpuBudget: gpuBudget ?? null,
    ramBudget: ramBudget ?? null,
    context: contextTokens === undefined ? null : { tokens: contextTokens, fixed: true },
    expertsUsed,
    kvType,
    promptTokens,
    hitCurve,
  };
}

export function surroundingsOf(dataFolder: string | undefined): Surroundings {
  const { freeBytes, totalBytes } = readRam();
  return { ramFreeBytes: freeBytes, ramTotalBytes: totalBytes, links: readLinks(chooseDataFolder(dataFolder)) };
}

/** Where the folder cannot be written the next start measures again. */
export function keepMeasured({ measured }: Pick<DevicePlan, 'measured'>, dataFolder: string | undefined): void {
  if (!measured) return;
  try {
    keepLinks(chooseDataFolder(dataFolder), measured);
  } catch {
    // nothing depends on it
  }
}

/** Throws `engine.budget` below the floor, `engine.kv-type` and `gpu.limits`; without an adapter it plans for the least one and says so. */
export async function planFor(model: ModelSpec, options: PlanOptions, log: (line: string) => void): Promise<OffloadPlan> {
  const surroundings = surroundingsOf(options.dataFolder);
  const wishes = wishesOf(options);
  try {
    const gpu = await openDevice(await nodeGpu(options.adapter));
    try {
      const planned = await planForDevice(gpu, model, { ...wishes, measureOnlyToShare: true }, surroundings);
      keepMeasured(planned, options.dataFolder);
      return planned.plan;
    } finally {
      gpu.dispose();
    }
  } catch (error) {
    if (options.adapter !== 'auto' || !isConclaveError(error) || error.code !== 'gpu.no-adapter') throw error;
    log('There is no GPU adapter here; the plan is for the least capable one.');
    const numbers = modelNumbers(model, LEAST_LIMITS, wishes);
    const { software } = LEAST_LIMITS;
    return planForMachine(numbers, wishes, { unifiedMemory: true, software, gpuFreeBytes: null, surroundings, links: null });
  }
}
