/**
 * A memory limit around a process and what it starts: a control group of Linux (version 1 or 2) below our own, made and removed by hand. The
 * limit counts the page cache too, as a container's does. Needs root.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

interface Hierarchy {
  readonly folder: string;
  readonly limitFile: string;
  readonly peakFile: string;
}

export class MemoryGroup {
  readonly #own: string;
  readonly #group: string;
  readonly #peakFile: string;

  /** Throws with a sentence where this system has no memory groups or does not let us make one. */
  constructor(name: string, limitBytes: number) {
    const { folder, limitFile, peakFile } = ownHierarchy();
    this.#own = folder;
    this.#group = path.join(folder, name);
    this.#peakFile = path.join(this.#group, peakFile);
    mkdirSync(this.#group, { recursive: true });
    writeFileSync(path.join(this.#group, limitFile), String(limitBytes));
  }

  /** What `start` starts is born in the group; this process is back in its own when it returns. */
  around<T>(start: () => T): T {
    writeFileSync(path.join(this.#group, 'cgroup.procs'), String(process.pid));
    try {
      return start();
    } finally {
      writeFileSync(path.join(this.#own, 'cgroup.procs'), String(process.pid));
    }
  }

  /** The most that was charged so far, page cache included; null where the kernel does not say. */
  peakBytes(): number | null {
    return existsSync(this.#peakFile) ? Number(readFileSync(this.#peakFile, 'utf8')) : null;
  }

  /** When nothing runs in it any more. */
  remove(): void {
    rmdirSync(this.#group);
  }
}

function ownHierarchy(): Hierarchy {
  if (process.platform !== 'linux') throw new Error('Memory limits of this kind are there on Linux only.');
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '));
  const first = lines.map((line) => /^\d+:memory:(.*)$/.exec(line)?.[1]).find((found) => found !== undefined);
  const mounted = mounts.find(([, , type, options]) => type === 'cgroup' && options.split(',').includes('memory'))?.[1];
  if (first !== undefined && mounted)
    return { folder: path.join(mounted, first), limitFile: 'memory.limit_in_bytes', peakFile: 'memory.max_usage_in_bytes' };
  const second = lines.map((line) => /^0::(.*)$/.exec(line)?.[1]).find((found) => found !== undefined);
  const unified = mounts.find(([, , type]) => type === 'cgroup2')?.[1];
  const folder = unified && second !== undefined ? path.join(unified, second) : null;
  if (!folder || !readFileSync(path.join(folder, 'cgroup.subtree_control'), 'utf8').includes('memory'))
    throw new Error('No memory control group can be made below our own here.');
  return { folder, limitFile: 'memory.max', peakFile: 'memory.peak' };
}
