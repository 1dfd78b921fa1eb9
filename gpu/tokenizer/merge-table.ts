/**
 * The merges of a BPE vocabulary: (left id, right id) → rank and merged id. Open addressing in one Int32Array, 16 bytes a slot, half
 * full at most. The hash is salted per table, so that a file cannot be made whose merges all fall into one place.
 */
const EMPTY = -1;

export class MergeTable {
  /** Slots of [left, right, rank, merged]. */
  private readonly slots: Int32Array;
  private readonly mask: number;
  private readonly salt = (Math.random() * 2 ** 32) | 0;

  constructor(capacity: number) {
    let nSlots = 16;
    while (nSlots < 2 * capacity) nSlots *= 2;
    this.slots = new Int32Array(4 * nSlots).fill(EMPTY);
    this.mask = nSlots - 1;
  }

  /** The first rank of a pair stays. */
  add(left: number, right: number, rank: number, merged: number): void {
    const at = this.slotOf(left, right);
    if (this.slots[at] === EMPTY) this.slots.set([left, right, rank, merged], at);
  }

  /** Where the pair is, for `rankAt` and `mergedAt`; -1 when it does not merge. */
  find(left: number, right: number): number {
    const at = this.slotOf(left, right);
    return this.slots[at] === EMPTY ? -1 : at;
  }

  rankAt(at: number): number {
    return this.slots[at + 2];
  }

  mergedAt(at: number): number {
    return this.slots[at + 3];
  }

  private slotOf(left: number, right: number): number {
    const { slots, mask, salt } = this;
    let hash = Math.imul(left ^ salt, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15) ^ right, 0x85ebca6b);
    hash ^= hash >>> 13;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const at = 4 * i;
      if (slots[at] === EMPTY || (slots[at] === left && slots[at + 1] === right)) return at;
    }
  }
}
