/** The slot table of the whole model, u32 [layers · E], on the CPU and on the GPU; rows are written through the queue, whose order is the only lock. */
import type { BufferRange } from '../../device/types.ts';
import { ABSENT_SLOT } from '../slab-geometry.ts';

export class SlotTable {
  readonly range: BufferRange;
  readonly #entries: Uint32Array<ArrayBuffer>;
  readonly #nExperts: number;
  readonly #changed = new Set<number>();

  constructor(range: BufferRange, nLayers: number, nExperts: number) {
    this.range = range;
    this.#nExperts = nExperts;
    this.#entries = new Uint32Array(nLayers * nExperts).fill(ABSENT_SLOT);
    for (let layer = 0; layer < nLayers; layer++) this.#changed.add(layer);
  }

  /** Element of the layer's row. */
  offset(layer: number): number {
    return layer * this.#nExperts;
  }

  set(layer: number, expert: number, entry: number): void {
    this.#entries[this.offset(layer) + expert] = entry;
    this.#changed.add(layer);
  }

  clear(layer: number, expert: number): void {
    this.set(layer, expert, ABSENT_SLOT);
  }

  /** Writes every row, whatever else was written there. */
  rewrite(queue: GPUQueue): void {
    for (let at = 0; at < this.#entries.length; at += this.#nExperts) this.#changed.add(at / this.#nExperts);
    this.flush(queue);
  }

  /** Writes the rows that changed. */
  flush(queue: GPUQueue): void {
    for (const layer of this.#changed) {
      const offsetBytes = this.range.offsetBytes + 4 * this.offset(layer);
      queue.writeBuffer(this.range.buffer, offsetBytes, this.#entries, this.offset(layer), this.#nExperts);
    }
    this.#changed.clear();
  }
}
