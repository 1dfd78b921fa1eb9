/** Budgets as bytes: what was given, or what the machine can spare. */
import type { Budgets, MachineFigures } from './types.ts';

export interface ResolvedBudgets {
  readonly gpuBytes: number;
  readonly gpuSource: 'given' | 'refused' | 'probed' | 'assumed';
  readonly ramBytes: number;
  readonly ramSource: 'given' | 'free' | 'unified';
}

/** Of what the probe could allocate: the desktop and other programs want some, and fragments are lost. */
export const GPU_SHARE = 0.9;
/** Where nothing was probed: most discrete GPUs have that much. */
const ASSUMED_GPU_BYTES = 4 * 2 ** 30;
/** Of free RAM; the rest is for the page cache and whatever else runs. */
const RAM_SHARE = 0.55;
/** Of all RAM, kept free so that nothing swaps. */
export const RAM_FLOOR_SHARE = 0.2;
/** Of free memory that the GPU's buffers may take where both are one. */
const UNIFIED_SHARE = 0.6;

export function resolveBudgets({ gpuBytes, ramBytes, gpuRefusedMore }: Budgets, machine: MachineFigures): ResolvedBudgets {
  const spareRam = Math.max(
    0,
    Math.min(RAM_SHARE * machine.ramFreeBytes, machine.ramFreeBytes - RAM_FLOOR_SHARE * machine.ramTotalBytes),
  );
  const gpuSource = gpuRefusedMore ? ('refused' as const) : ('given' as const);
  const gpu = gpuBytes === null ? freeGpuBytes(machine) : { gpuBytes, gpuSource };
  if (ramBytes !== null) return { ...gpu, ramBytes, ramSource: 'given' };
  if (machine.unifiedMemory) return { ...gpu, ramBytes: 0, ramSource: 'unified' };
  return { ...gpu, ramBytes: Math.floor(spareRam), ramSource: 'free' };
}

function freeGpuBytes({ gpuFreeBytes, unifiedMemory, ramFreeBytes }: MachineFigures) {
  const most = unifiedMemory ? UNIFIED_SHARE * ramFreeBytes : Infinity;
  if (gpuFreeBytes !== null)
    return { gpuBytes: Math.floor(Math.min(GPU_SHARE * gpuFreeBytes, most)), gpuSource: 'probed' as const };
  if (unifiedMemory) return { gpuBytes: Math.floor(most), gpuSource: 'probed' as const };
  return { gpuBytes: ASSUMED_GPU_BYTES, gpuSource: 'assumed' as const };
}
