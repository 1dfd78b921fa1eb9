/** A machine as far as it is known, in the planner's figures. Pure. */
import type { DeviceLinks, MachineFigures, Surroundings } from './types.ts';

export interface KnownMachine {
  readonly unifiedMemory: boolean;
  readonly software: boolean;
  readonly gpuFreeBytes: number | null;
  readonly surroundings: Surroundings;
  /** null: not measured. */
  readonly links: DeviceLinks | null;
}

export function machineFigures({ unifiedMemory, software, gpuFreeBytes, surroundings, links }: KnownMachine): MachineFigures {
  return {
    unifiedMemory,
    software,
    gpuFreeBytes,
    ramFreeBytes: surroundings.ramFreeBytes,
    ramTotalBytes: surroundings.ramTotalBytes,
    diskBytesPerSecond: links?.diskBytesPerSecond ?? null,
    uploadBytesPerSecond: links?.uploadBytesPerSecond ?? null,
    readbackMs: links?.readbackMs ?? null,
    computeBytesPerSecond: links?.computeBytesPerSecond ?? null,
    dispatchMs: links?.dispatchMs ?? null,
  };
}

/** Those of an adapter, of any type or of one. */
export function findLinks(links: readonly DeviceLinks[], adapter: string, type?: string): DeviceLinks | null {
  return links.find((link) => link.adapter === adapter && (type === undefined || link.tensorType === type)) ?? null;
}
