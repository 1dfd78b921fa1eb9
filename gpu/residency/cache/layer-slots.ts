/**
 * Which experts of a slotted layer are in which slots: pure bookkeeping. A slot is reserved before its bytes come and settled when they are
 * there; who leaves is the policy's choice, never one that the caller wants kept.
 */
import { invariant } from '../../invariant.ts';
import type { CacheLayer, CachePolicy } from '../types.ts';

export interface Reservation {
  readonly slot: number;
  /** Who had the slot. */
  readonly evicted: { readonly layer: number; readonly expert: number } | null;
}

/** Experts that must stay, by layer. */
export type Kept = ReadonlyMap<number, ReadonlySet<number>>;

/** The slots of one layer, or of all streamed layers together. */
export interface SlotKeeper {
  has(layer: number, expert: number): boolean;
  /** A slot for an expert that is absent; null when all are kept or reserved. */
  reserve(layer: number, expert: number, kept: Kept): Reservation | null;
  /** Its bytes are in place. */
  settle(layer: number, expert: number, slot: number): void;
  /** They did not come: the slot is free. */
  abandon(slot: number): void;
}

const FREE = -1;
const RESERVED = -2;

export class LayerSlots implements SlotKeeper {
  readonly #layer: number;
  readonly #policy: CachePolicy;
  readonly #expertIn: Int32Array;
  readonly #slotOf: Int32Array;

  /** `occupants[slot]`: who is there from the start. */
  constructor(layer: number, { nExperts, nSlots }: CacheLayer, policy: CachePolicy, occupants: readonly number[]) {
    invariant(occupants.length <= nSlots, `${occupants.length} experts in ${nSlots} slots`);
    this.#layer = layer;
    this.#policy = policy;
    this.#expertIn = new Int32Array(nSlots).fill(FREE);
    this.#slotOf = new Int32Array(nExperts).fill(FREE);
    occupants.forEach((expert, slot) => this.settle(layer, expert, slot));
  }

  has(_layer: number, expert: number): boolean {
    return this.#slotOf[expert] >= 0;
  }

  residents(): number[] {
    return Array.from(this.#expertIn).filter((expert) => expert >= 0);
  }

  reserve(_layer: number, expert: number, kept: Kept): Reservation | null {
    const keep = kept.get(this.#layer) ?? new Set<number>();
    invariant(this.#slotOf[expert] < 0, `expert ${expert} of layer ${this.#layer} has a slot`);
    const free = this.#expertIn.indexOf(FREE);
    if (free >= 0) {
      this.#expertIn[free] = RESERVED;
      return { slot: free, evicted: null };
    }
    const residents = this.residents();
    if (residents.every((resident) => keep.has(resident))) return null;
    const victim = this.#policy.victim(residents, keep);
    invariant(residents.includes(victim) && !keep.has(victim), `the policy of layer ${this.#layer} evicts ${victim}`);
    const slot = this.#slotOf[victim];
    this.#slotOf[victim] = FREE;
    this.#expertIn[slot] = RESERVED;
    return { slot, evicted: { layer: this.#layer, expert: victim } };
  }

  settle(_layer: number, expert: number, slot: number): void {
    this.#expertIn[slot] = expert;
    this.#slotOf[expert] = slot;
  }

  abandon(slot: number): void {
    this.#expertIn[slot] = FREE;
  }

  /** A committed token used these, by rank. */
  used(experts: ArrayLike<number>): void {
    this.#policy.used(experts);
  }
}
