/** How much RAM this process may still take: what the system says is available, within a container's limit where there is one. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { groupCacheBytes } from './memory-group.ts';

export interface RamFigures {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export function readRam(): RamFigures {
  // Electron's Node may be older than these two.
  const { availableMemory, constrainedMemory } = process as Partial<
    Pick<NodeJS.Process, 'availableMemory' | 'constrainedMemory'>
  >;
  const limitBytes = constrainedMemory?.call(process) ?? 0;
  const totalBytes = limitBytes > 0 ? Math.min(os.totalmem(), limitBytes) : os.totalmem();
  const free = [linuxAvailableBytes() ?? os.freemem(), (availableMemory?.call(process) ?? Infinity) + groupCacheBytes()];
  return { freeBytes: Math.min(totalBytes, ...free), totalBytes };
}

/** Linux counts the page cache as used in `freemem`; MemAvailable says what programs can have. */
function linuxAvailableBytes(): number | null {
  if (process.platform !== 'linux') return null;
  try {
    return availableIn(readFileSync('/proc/meminfo', 'utf8'));
  } catch {
    return null;
  }
}

export function availableIn(meminfo: string): number | null {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}
