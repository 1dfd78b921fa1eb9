/**
 * Slots of the transit slab, through which the experts of all streamed layers pass. A token visits each layer once, in order, so whoever came
 * first leaves first.
 */
import { invariant } from '../../invariant.ts';
import type { Kept, Reservation, SlotKeeper } from './layer-slots.ts';

interface Occupant {
  readonly layer: number;
  readonly expert: number;
}

export class TransitSlots implements SlotKeeper {
  readonly #occupants: (Occupant | 'reserved' | null)[];
  readonly #slotOf = new Map<string, number>();
  #next = 0;

  readonly nSlots: number;

  constructor(nSlots: number) {
    this.nSlots = nSlots;
    this.#occupants = new Array<null>(nSlots).fill(null);
  }

  has(layer: number, expert: number): boolean {
    return this.#slotOf.has(key(layer, expert));
  }

  reserve(layer: number, expert: number, kept: Kept): Reservation | null {
    invariant(!this.has(layer, expert), `expert ${expert} of layer ${layer} is in transit`);
    for (let tried = 0; tried < this.#occupants.length; tried++) {
      const slot = this.#next;
      this.#next = (this.#next + 1) % this.#occupants.length;
      const occupant = this.#occupants[slot];
      if (occupant === 'reserved' || (occupant && kept.get(occupant.layer)?.has(occupant.expert))) continue;
      if (occupant) this.#slotOf.delete(key(occupant.layer, occupant.expert));
      this.#occupants[slot] = 'reserved';
      return { slot, evicted: occupant };
    }
    return null;
  }

  settle(layer: number, expert: number, slot: number): void {
    this.#occupants[slot] = { layer, expert };
    this.#slotOf.set(key(layer, expert), slot);
  }

  abandon(slot: number): void {
    this.#occupants[slot] = null;
  }

  /** Forgets all; who was there. */
  clear(): Occupant[] {
    const gone = this.#occupants.filter((occupant): occupant is Occupant => occupant !== null && occupant !== 'reserved');
    this.#occupants.fill(null);
    this.#slotOf.clear();
    return gone;
  }
}

function key(layer: number, expert: number): string {
  return `${layer}:${expert}`;
}
