/**
 * The plan for a model on an open device: what only the device knows (limits, free memory, link speeds) is measured here, what the host knows
 * comes in. Speeds are measured once per adapter and tensor type; the caller keeps them and hands them in the next time.
 */
import type { ModelSpec } from '../../architectures/types.ts';
import type { GpuDevice } from '../../device/open-device.ts';
import { measureDisk } from '../../device/probe-disk.ts';
import { measureLinks } from '../../device/probe-links.ts';
import { probeFreeBytes } from '../../device/probe-memory.ts';
import { hasUnifiedMemory } from '../../device/unified-memory.ts';
import { isConclaveError } from '../../errors.ts';
import type { ComputeType } from '../../quant/types.ts';
import { findLinks, machineFigures, type KnownMachine } from './machine.ts';
import { modelNumbers, type NumericSettings } from './model-numbers.ts';
import { mostGpuBytes, planOffload, predictPlan } from './plan.ts';
import type { ContextWish, DeviceLinks, ModelHistory, ModelNumbers, OffloadPlan, PlanRequest, Surroundings } from './types.ts';

/** Bytes, or a share of what is free. */
export type Budget = { readonly bytes: number } | { readonly share: number };

export interface PlanWishes extends NumericSettings {
  /** null: chosen by the planner. */
  readonly gpuBudget: Budget | null;
  readonly ramBudget: Budget | null;
  readonly context: ContextWish | null;
  readonly computeMsPerToken?: number;
  /** From recorded routing of the model. */
  readonly hitCurve?: ModelHistory['hitCurve'];
  /** Of the prompt whose speed is predicted. */
  readonly promptTokens?: number;
  /** Measure unknown link speeds only where experts must share; then a plan for all resident predicts by assumptions. */
  readonly measureOnlyToShare?: boolean;
}

export interface DevicePlan {
  readonly plan: OffloadPlan;
  /** The next smaller plan for the same machine after the GPU refused `plan`, with `context` where it is set; null: nothing is left to give up. */
  smaller(plan: OffloadPlan, context: ContextWish | null): OffloadPlan | null;
  /** The same plan, its prediction by what a token was measured to take with all experts at hand. */
  predictedAt(plan: OffloadPlan, computeMsPerToken: number): OffloadPlan;
  /** What was measured now; null: it was known. */
  readonly measured: DeviceLinks | null;
}

/** Where nothing else is known of a model: what most of them come in. */
const USUAL_TYPE: ComputeType = 'Q4_K';

/** Throws `engine.budget`, `engine.kv-type`, `gpu.limits`; rejects as the file does. */
export async function planForDevice(
  gpu: GpuDevice,
  model: ModelSpec,
  wishes: PlanWishes,
  surroundings: Surroundings,
  signal?: AbortSignal,
): Promise<DevicePlan> {
  const numbers = modelNumbers(model, gpu.capabilities, wishes);
  const { software, description } = gpu.capabilities;
  const unifiedMemory = hasUnifiedMemory(gpu.adapter.info, software);
  // Where memory is shared, allocating says nothing: the system would rather swap than refuse.
  const wantsProbe = !unifiedMemory && (wishes.gpuBudget === null || 'share' in wishes.gpuBudget);
  const gpuFreeBytes = wantsProbe ? await probeFreeBytes(gpu, mostGpuBytes(numbers)) : null;
  const planWith = (links: DeviceLinks | null) => {
    const machine = { unifiedMemory, software, gpuFreeBytes, surroundings, links };
    return {
      plan: planForMachine(numbers, wishes, machine),
      predictedAt: (plan: OffloadPlan, computeMsPerToken: number) => ({
        ...plan,
        prediction: predictPlan(numbers, plan, planRequest({ ...wishes, computeMsPerToken }, machine)),
      }),
      smaller: (refused: OffloadPlan, context: ContextWish | null) =>
        smallerPlan(numbers, { ...wishes, context: context ?? wishes.context }, machine, refused),
    };
  };
  const type = mainType(model);
  const known = findLinks(surroundings.links, description, type);
  const planned = planWith(known);
  if (known || (wishes.measureOnlyToShare && planned.plan.slotShare === 1)) return { ...planned, measured: null };
  const diskBytesPerSecond = await measureDisk(model.file.sources[0], undefined, signal);
  const measured = { ...(await linksOf(gpu, type)), diskBytesPerSecond };
  return { ...planWith(measured), measured };
}

/** Of the expert bytes on the GPU, given up at each refusal. */
const GIVEN_UP_SHARE = 0.25;
/** Where every expert is streamed already, or there are none: of what a prompt's chunks and the reads take above the least that works. */
const GIVEN_UP_ABOVE_LEAST = 0.5;

/** Null: `refused` is the least plan there is. */
function smallerPlan(
  numbers: ModelNumbers,
  wishes: PlanWishes,
  known: KnownMachine,
  { gpu, layers, leastGpuBytes }: OffloadPlan,
): OffloadPlan | null {
  const aboveLeastBytes = gpu.totalBytes - leastGpuBytes;
  if (aboveLeastBytes <= 0) return null;
  const holdsExperts = layers.resident + layers.slotted > 0;
  const givenUpBytes = holdsExperts ? GIVEN_UP_SHARE * gpu.expertsBytes : GIVEN_UP_ABOVE_LEAST * aboveLeastBytes;
  const bytes = Math.floor(gpu.totalBytes - Math.min(givenUpBytes, aboveLeastBytes));
  try {
    return planForMachine(numbers, { ...wishes, gpuBudget: { bytes } }, known, true);
  } catch (error) {
    if (isConclaveError(error) && error.code === 'engine.budget') return null;
    throw error;
  }
}

/** The plan for what is known of a machine. Throws `engine.budget`, `gpu.limits`. */
export function planForMachine(
  numbers: ModelNumbers,
  wishes: PlanWishes,
  known: KnownMachine,
  gpuRefusedMore = false,
): OffloadPlan {
  return planOffload(numbers, planRequest(wishes, known, gpuRefusedMore));
}

function planRequest(wishes: PlanWishes, known: KnownMachine, gpuRefusedMore = false): PlanRequest {
  const { ramFreeBytes } = known.surroundings;
  return {
    budgets: {
      gpuBytes: budgetBytes(wishes.gpuBudget, known.gpuFreeBytes ?? ramFreeBytes),
      ramBytes: budgetBytes(wishes.ramBudget, ramFreeBytes),
      gpuRefusedMore,
    },
    machine: machineFigures(known),
    context: wishes.context,
    history: { computeMsPerToken: wishes.computeMsPerToken ?? null, hitCurve: wishes.hitCurve ?? null },
    promptTokens: wishes.promptTokens,
  };
}

function budgetBytes(budget: Budget | null, freeBytes: number): number | null {
  if (budget === null) return null;
  return 'bytes' in budget ? budget.bytes : Math.floor(budget.share * freeBytes);
}

export interface DeviceMachine {
  readonly adapter: { readonly description: string; readonly software: boolean };
  readonly unifiedMemory: boolean;
  readonly gpuFreeBytes: number;
  readonly maxBindingBytes: number;
  readonly links: DeviceLinks;
}

/** More than any model's experts on any GPU that this engine is for. */
const MOST_PROBED_BYTES = 2 ** 37;

/** The device without a model: for judging models that are not here yet. */
export async function probeDevice(gpu: GpuDevice, surroundings: Surroundings): Promise<DeviceMachine> {
  const { description, software, maxStorageBindingBytes, maxBufferBytes } = gpu.capabilities;
  const unifiedMemory = hasUnifiedMemory(gpu.adapter.info, software);
  return {
    adapter: { description, software },
    unifiedMemory,
    gpuFreeBytes: unifiedMemory ? surroundings.ramFreeBytes : await probeFreeBytes(gpu, MOST_PROBED_BYTES),
    maxBindingBytes: Math.min(maxStorageBindingBytes, maxBufferBytes),
    links: findLinks(surroundings.links, description) ?? { ...(await linksOf(gpu, USUAL_TYPE)), diskBytesPerSecond: null },
  };
}

async function linksOf(gpu: GpuDevice, type: ComputeType): Promise<Omit<DeviceLinks, 'diskBytesPerSecond'>> {
  return { adapter: gpu.capabilities.description, tensorType: type, ...(await measureLinks(gpu, type)) };
}

/** The type of the experts, or of a dense model's feed-forward. */
function mainType({ layers }: ModelSpec): ComputeType {
  const ffn = layers[layers.length - 1]?.ffn;
  const tensor = ffn?.kind === 'moe' ? ffn.gate[0].tensor : ffn?.gate;
  return (tensor?.type as ComputeType | undefined) ?? USUAL_TYPE;
}
