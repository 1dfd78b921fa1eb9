/** Memory of a process and all that it started, as Linux counts it: Pss, in which a page that is shared counts to each by its part. */
import { readdirSync, readFileSync } from 'node:fs';

/** Null where the system does not tell. A process that ends while it is read counts nothing. */
export function pssOfTree(rootPid: number): number | null {
  if (process.platform !== 'linux') return null;
  let bytes = 0;
  for (const pid of treeOf(rootPid)) bytes += pssOf(pid);
  return bytes;
}

function pssOf(pid: number): number {
  const text = textOf(`/proc/${pid}/smaps_rollup`);
  return 1024 * Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0);
}

function treeOf(rootPid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = textOf(`/proc/${name}/stat`);
    // The name in brackets may hold anything; the parent is the second field behind it.
    const parent = /^.*\) \S (\d+) /s.exec(stat)?.[1];
    if (parent !== undefined) parents.set(Number(name), Number(parent));
  }
  const isBelow = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined && at !== 0; at = parents.get(at)) if (at === rootPid) return true;
    return false;
  };
  return [...parents.keys()].filter(isBelow);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended
  }
}

export interface SeenMemory {
  readonly peakBytes: number;
  readonly looks: number;
  /** Most in the last quarter of the looks less most in the second. */
  readonly growthBytes: number;
}

/** Looks again and again until `stop`. */
export class PssWatch {
  readonly #rootPid: number;
  readonly #timer: NodeJS.Timeout;
  readonly #seen: number[] = [];

  constructor(rootPid: number, everyMs: number) {
    this.#rootPid = rootPid;
    this.#timer = setInterval(() => this.#look(), everyMs);
    this.#look();
  }

  stop(): SeenMemory {
    clearInterval(this.#timer);
    const most = (from: number, to: number) =>
      Math.max(0, ...this.#seen.slice(Math.floor(from * this.#seen.length), Math.ceil(to * this.#seen.length)));
    return { peakBytes: most(0, 1), looks: this.#seen.length, growthBytes: most(0.75, 1) - most(0.25, 0.5) };
  }

  #look(): void {
    const bytes = pssOfTree(this.#rootPid);
    if (bytes === null || bytes === 0) return;
    this.#seen.push(bytes);
  }
}
