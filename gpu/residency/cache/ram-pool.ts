/**
 * Expert bytes, as in the file, in RAM under a budget. Whoever decode asked for more often stays (TinyLFU, Einziger, Friedman, Manes 2017): what the
 * slots hold is not asked for here, so pool and slots come to hold different experts, and a prompt, which reads nearly every expert once and
 * counts nothing, takes free room and the place of those that decode asked for less often.
 */
import { invariant } from '../../invariant.ts';

export type PoolBytes = Uint8Array<ArrayBuffer>;

/** How often decode asked for an expert, held or not. */
interface Asked {
  times: number;
}

interface Entry {
  readonly bytes: PoolBytes;
  readonly asked: Asked;
}

/**
 * Counts are halved when decode has asked so often for each expert that is held. On recorded and synthetic routing with pools of 10, 25 and 50 % of the experts
 * 40 serves at most 3 points fewer misses than never halving, 10 up to 9 points (docs/offload-policy.md, November 2026).
 */
const ASKED_PER_ENTRY = 40;

export class RamPool {
  #capacityBytes: number;
  readonly #asked = new Map<string, Asked>();
  #timesAsked = 0;
  /** The one that decode asked for longest ago first. */
  readonly #held = new Map<string, Entry>();
  #bytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
    this.resize(capacityBytes);
  }

  /** What is above leaves, the least asked for first. */
  resize(capacityBytes: number): void {
    invariant(capacityBytes >= 0, `a pool of ${capacityBytes} bytes`);
    this.#capacityBytes = capacityBytes;
    for (const key of this.#leavers(0, Infinity) ?? this.#held.keys()) this.#remove(key);
  }

  /** What is held and what is lent. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `isScan`: one of nearly all experts, for a prompt; it counts for nothing. */
  get(key: string, isScan: boolean): PoolBytes | undefined {
    const found = this.#held.get(key);
    if (isScan) return found?.bytes;
    this.#count(key);
    if (found) {
      this.#held.delete(key);
      this.#held.set(key, found);
    }
    return found?.bytes;
  }

  /**
   * Lends room for the bytes of `key`, which are not held yet, in the memory of one that leaves where it has the size; null where all who are there were
   * asked for as often, or the system has no RAM.
   */
  lend(key: string, sizeBytes: number): PoolBytes | null {
    const leavers = this.#leavers(sizeBytes, this.#askedOf(key).times);
    if (!leavers) return null;
    const left = leavers.map((leaver) => this.#remove(leaver));
    const lent = left.find(({ length }) => length === sizeBytes) ?? allocated(sizeBytes);
    if (lent) this.#bytes += sizeBytes;
    return lent;
  }

  /** What was lent has been filled. */
  put(key: string, bytes: PoolBytes): void {
    invariant(!this.#held.has(key), `${key} is held already`);
    this.#held.set(key, { bytes, asked: this.#askedOf(key) });
  }

  /** What was lent could not be filled. */
  giveBack(entry: PoolBytes): void {
    this.#bytes -= entry.length;
  }

  clear(): void {
    for (const key of this.#held.keys()) this.#remove(key);
  }

  /** Those asked for least, each less than `times`, who leave that `sizeBytes` fit; null: not even without all of them. */
  #leavers(sizeBytes: number, times: number): string[] | null {
    let freeBytes = this.#capacityBytes - this.#bytes;
    if (freeBytes >= sizeBytes) return [];
    const least = this.#leastAsked(times);
    if (least && freeBytes + this.#held.get(least)!.bytes.length >= sizeBytes) return [least];
    const leavers: string[] = [];
    const byTimes = [...this.#held]
      .filter(([, { asked }]) => asked.times < times)
      .sort(([, a], [, b]) => a.asked.times - b.asked.times);
    for (const [key, { bytes }] of byTimes) {
      leavers.push(key);
      freeBytes += bytes.length;
      if (freeBytes >= sizeBytes) return leavers;
    }
    return null;
  }

  /** One, in one look at each: a miss nearly always needs no more. */
  #leastAsked(times: number): string | null {
    let found: string | null = null;
    for (const [key, { asked }] of this.#held) if (asked.times < times) [found, times] = [key, asked.times];
    return found;
  }

  #remove(key: string): PoolBytes {
    const entry = this.#held.get(key);
    invariant(entry, `${key} is held`);
    this.#held.delete(key);
    this.#bytes -= entry.bytes.length;
    return entry.bytes;
  }

  #count(key: string): void {
    this.#askedOf(key).times++;
    if (++this.#timesAsked < ASKED_PER_ENTRY * Math.max(1, this.#held.size)) return;
    this.#timesAsked = 0;
    for (const asked of this.#asked.values()) asked.times /= 2;
  }

  #askedOf(key: string): Asked {
    const known = this.#asked.get(key) ?? { times: 0 };
    this.#asked.set(key, known);
    return known;
  }
}

/** null: the system has no such memory left, whatever the budget says. */
function allocated(sizeBytes: number): PoolBytes | null {
  try {
    return new Uint8Array(sizeBytes);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
