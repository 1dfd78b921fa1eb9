/**
 * The control group of Linux (version 1 or 2) that limits this process's memory, as a container's or a service's does. The kernel counts files that it
 * merely caches as used there, although it gives them up before anything else: reading a model fills a group without taking anything.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface MemoryGroupFolder {
  readonly folder: string;
  readonly version: 1 | 2;
}

/** Texts as in `/proc/self/cgroup` and `/proc/mounts`; null where memory is in no group. Inside a container the group may be the mount itself. */
export function memoryGroupFolder(groups: string, mounts: string, exists = existsSync): MemoryGroupFolder | null {
  const mounted = mounts.split('\n').map((line) => line.split(' '));
  const first = mounted.find(([, , type, options]) => type === 'cgroup' && options.split(',').includes('memory'))?.[1];
  const root = first ?? mounted.find(([, , type]) => type === 'cgroup2')?.[1];
  const own = new RegExp(first ? '^\\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$' : '^0::(.*)$', 'm').exec(groups)?.[1];
  if (root === undefined || own === undefined) return null;
  const folder = path.posix.join(root, own);
  return { folder: exists(folder) ? folder : root, version: first ? 1 : 2 };
}

/** Bytes of files that the group of this process caches; 0 where it is in none. */
export function groupCacheBytes(): number {
  if (process.platform !== 'linux') return 0;
  try {
    const group = memoryGroupFolder(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/mounts', 'utf8'));
    return group ? fileCacheIn(readFileSync(path.posix.join(group.folder, 'memory.stat'), 'utf8')) : 0;
  } catch {
    return 0; // the root group of version 2 has no figures
  }
}

/** Version 1 has the group's own figures and `total_` ones with the groups below it; version 2 has only the latter, without a prefix. */
export function fileCacheIn(stat: string): number {
  const bytes = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? NaN);
  const all = bytes('total_active_file') + bytes('total_inactive_file');
  return Number.isNaN(all) ? bytes('active_file') + bytes('inactive_file') || 0 : all;
}
