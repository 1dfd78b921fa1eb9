/** The plan for a model on this machine, in this process: limits of the chosen adapter, memory that is free, figures measured before. */
import type { ModelSpec } from '../../../gpu/architectures/types.ts';
import { openDevice } from '../../../gpu/device/open-device.ts';
import { isConclaveError } from '../../../gpu/errors.ts';
import { modelNumbers, type AdapterLimits } from '../../../gpu/residency/plan/model-numbers.ts';
import { planOffload } from '../../../gpu/residency/plan/plan.ts';
import type { MachineFigures, OffloadPlan } from '../../../gpu/residency/plan/types.ts';
import { readRam } from '../../experts/memory.ts';
import { nodeGpu, type AdapterChoice } from './gpu.ts';

/** Bytes, or a share of what is free. */
export type Budget = { readonly bytes: number } | { readonly share: number };

export interface PlanWishes {
  readonly adapter: AdapterChoice;
  readonly contextTokens: number | undefined;
  readonly expertsUsed: number | undefined;
  readonly gpuBudget: Budget | undefined;
  readonly ramBudget: Budget | undefined;
}

/** What every WebGPU adapter allows. */
const LEAST_LIMITS: AdapterLimits = { maxStorageBindingBytes: 2 ** 27, maxBufferBytes: 2 ** 28 };

/** Throws `engine.budget` below the floor and `gpu.limits`; without an adapter it plans for the least one and says so. */
export async function planFor(model: ModelSpec, wishes: PlanWishes, log: (line: string) => void): Promise<OffloadPlan> {
  const adapter = await adapterFacts(wishes.adapter, log);
  const ram = readRam();
  const machine: MachineFigures = {
    unifiedMemory: adapter.software,
    software: adapter.software,
    gpuFreeBytes: null,
    ramFreeBytes: ram.freeBytes,
    ramTotalBytes: ram.totalBytes,
    diskBytesPerSecond: null,
    uploadBytesPerSecond: null,
    readbackMs: null,
    computeBytesPerSecond: null,
    dispatchMs: null,
  };
  return planOffload(modelNumbers(model, adapter.limits, wishes.expertsUsed), {
    budgets: { gpuBytes: budgetBytes(wishes.gpuBudget, ram.freeBytes), ramBytes: budgetBytes(wishes.ramBudget, ram.freeBytes) },
    machine,
    context: wishes.contextTokens === undefined ? null : { tokens: wishes.contextTokens, fixed: true },
  });
}

export function budgetBytes(budget: Budget | undefined, freeBytes: number): number | null {
  if (budget === undefined) return null;
  return 'bytes' in budget ? budget.bytes : Math.floor(budget.share * freeBytes);
}

async function adapterFacts(
  choice: AdapterChoice,
  log: (line: string) => void,
): Promise<{ limits: AdapterLimits; software: boolean }> {
  try {
    const gpu = await openDevice(await nodeGpu(choice));
    const { maxStorageBindingBytes, maxBufferBytes, software } = gpu.capabilities;
    gpu.dispose();
    return { limits: { maxStorageBindingBytes, maxBufferBytes }, software };
  } catch (error) {
    if (choice !== 'auto' || !isConclaveError(error)) throw error;
    log('There is no GPU adapter here; the plan is for the least capable one.');
    return { limits: LEAST_LIMITS, software: true };
  }
}
