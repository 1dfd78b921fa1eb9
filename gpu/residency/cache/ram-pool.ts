/**
 * Expert bytes, as in the file, in RAM under a budget; the least recently read leaves. An expert that stays in a GPU slot is not read here and
 * sinks to the end, so that pool and slots come to hold different experts.
 */
import { invariant } from '../../invariant.ts';

export type PoolBytes = Uint8Array<ArrayBuffer>;

export class RamPool {
  #capacityBytes: number;
  /** Oldest first. */
  readonly #entries = new Map<string, PoolBytes>();
  #bytes = 0;

  constructor(capacityBytes: number) {
    this.#capacityBytes = capacityBytes;
    this.resize(capacityBytes);
  }

  /** What is above leaves, the least recently read first. */
  resize(capacityBytes: number): void {
    invariant(capacityBytes >= 0, `a pool of ${capacityBytes} bytes`);
    this.#capacityBytes = capacityBytes;
    this.#makeRoom(0);
  }

  /** What is held and what is lent. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): PoolBytes | undefined {
    const found = this.#entries.get(key);
    if (found) {
      this.#entries.delete(key);
      this.#entries.set(key, found);
    }
    return found;
  }

  /** Lends room for bytes that are not held yet, in the memory of one that leaves where it has the size; null where there is none, of the budget or of RAM. */
  lend(sizeBytes: number): PoolBytes | null {
    const reused = this.#makeRoom(sizeBytes);
    if (this.#bytes + sizeBytes > this.#capacityBytes) return null;
    const lent = reused ?? allocated(sizeBytes);
    if (lent) this.#bytes += sizeBytes;
    return lent;
  }

  /** What was lent has been filled. */
  put(key: string, entry: PoolBytes): void {
    invariant(!this.#entries.has(key), `${key} is held already`);
    this.#entries.set(key, entry);
  }

  /** What was lent could not be filled. */
  giveBack(entry: PoolBytes): void {
    this.#bytes -= entry.length;
  }

  /** One of those that left that has this size. */
  #makeRoom(sizeBytes: number): PoolBytes | null {
    let reused: PoolBytes | null = null;
    for (const [key, entry] of this.#entries) {
      if (this.#bytes + sizeBytes <= this.#capacityBytes) break;
      this.#entries.delete(key);
      this.#bytes -= entry.length;
      if (entry.length === sizeBytes) reused = entry;
    }
    return reused;
  }

  clear(): void {
    for (const entry of this.#entries.values()) this.#bytes -= entry.length;
    this.#entries.clear();
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
