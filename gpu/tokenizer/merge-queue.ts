/**
 * The order in which symbols merge: lowest rank first, the leftmost of equals. A binary heap of numbers `rank · 2^31 + left`; an
 * entry is checked against the symbols when it comes out, so nothing is ever removed or changed inside (the work is O(n log n)).
 */
const LEFT_SPAN = 2 ** 31;

/** Operations since it was made: tests judge complexity by it instead of by a clock. */
export interface WorkCounter {
  operations: number;
}

export class MergeQueue {
  private heap: number[] = [];
  private readonly counter: WorkCounter | undefined;

  constructor(counter?: WorkCounter) {
    this.counter = counter;
  }

  push(rank: number, left: number): void {
    const { heap } = this;
    const key = rank * LEFT_SPAN + left;
    let child = heap.length;
    heap.push(key);
    while (child > 0) {
      const parent = (child - 1) >> 1;
      if (heap[parent] <= key) break;
      heap[child] = heap[parent];
      child = parent;
      this.count();
    }
    heap[child] = key;
    this.count();
  }

  /** Takes the first entry; false when empty. Read it with `rank` and `left`. */
  pop(): boolean {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined) return false;
    const top = heap.length === 0 ? last : heap[0];
    if (heap.length > 0) this.sink(last);
    this.rank = Math.floor(top / LEFT_SPAN);
    this.left = top % LEFT_SPAN;
    this.count();
    return true;
  }

  rank = 0;
  left = 0;

  private sink(key: number): void {
    const { heap } = this;
    let parent = 0;
    for (;;) {
      let child = 2 * parent + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
      if (heap[child] >= key) break;
      heap[parent] = heap[child];
      parent = child;
      this.count();
    }
    heap[parent] = key;
  }

  private count(): void {
    if (this.counter) this.counter.operations++;
  }
}
