/**
 * A memory limit around a process and what it starts: a control group of Linux (version 1 or 2) below our own, made and removed by hand. The
 * limit counts the page cache too, as a container's does. Needs root.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { memoryGroupFolder } from '../../main/experts/memory-group.ts';

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

function ownHierarchy(): { folder: string; limitFile: string; peakFile: string } {
  if (process.platform !== 'linux') throw new Error('Memory limits of this kind are there on Linux only.');
  const own = memoryGroupFolder(readFileSync('/proc/self/cgroup', 'utf8'), readFileSync('/proc/mounts', 'utf8'));
  if (own?.version === 1)
    return { folder: own.folder, limitFile: 'memory.limit_in_bytes', peakFile: 'memory.max_usage_in_bytes' };
  if (!own || !readFileSync(path.join(own.folder, 'cgroup.subtree_control'), 'utf8').includes('memory'))
    throw new Error('No memory control group can be made below our own here.');
  return { folder: own.folder, limitFile: 'memory.max', peakFile: 'memory.peak' };
}
