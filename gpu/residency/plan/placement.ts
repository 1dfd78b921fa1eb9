/**
 * Every way to place the experts under a number of bytes: so many layers resident, so many streamed, the rest with one number of slots
 * (and one more for the first of them, as far as the bytes go). A larger budget can do all that a smaller one can.
 */
import { largest } from './largest.ts';
import type { LayerNumbers, ModelNumbers } from './types.ts';

/** The least slots of a slotted layer, in K: below that a layer's cache mostly evicts what the next token wants (arXiv 2505.16056). */
const LEAST_SLOTS_PER_USED = 2;

export interface Placement {
  /** In order of `order`: the first `nResident` are resident, the last `nStreamed` streamed. */
  readonly nResident: number;
  readonly nStreamed: number;
  /** Slots of a layer between them, 0 where there is none, and how many of those have one more. */
  readonly nSlots: number;
  readonly nBonus: number;
  /** Slabs and transit slab. */
  readonly expertsBytes: number;
}

/** Bytes of a slab of `nSlots`: equal shards, so a few slots more than asked for may be paid for. */
function slabBytes({ slotBytes, slotsPerShard }: LayerNumbers, nSlots: number): number {
  const nShards = Math.ceil(nSlots / slotsPerShard);
  return nShards === 0 ? 0 : nShards * Math.ceil(nSlots / nShards) * slotBytes;
}

/** Layers whose experts are small first: those become resident for the fewest bytes; the last are streamed first. */
function layerOrder(layers: readonly LayerNumbers[]): number[] {
  return layers.map((_, i) => i).sort((a, b) => layers[a].slotBytes - layers[b].slotBytes || a - b);
}

/** Bytes of a transit slab: all its slots have the stride of the largest expert that passes through. */
export function transitBytes(passing: readonly LayerNumbers[], transitSlots: number): number {
  if (passing.length === 0) return 0;
  const largest = passing.reduce((most, layer) => (layer.slotBytes > most.slotBytes ? layer : most));
  return slabBytes(largest, transitSlots);
}

/** Layers that are alike, `count` of them with `nSlots` each (E: resident, 0: streamed). */
export interface PlacedGroup extends LayerNumbers {
  readonly count: number;
  readonly nSlots: number;
}

/** Values of `nResident` and `nStreamed` that are tried: enough to come within a few percent of the best, few enough to plan in milliseconds. */
const MOST_STEPS = 12;

/** The placements of one model. */
export class PlacementSpace {
  readonly #model: ModelNumbers;
  readonly #order: readonly LayerNumbers[];
  readonly #kinds: readonly LayerNumbers[];
  /** [kind][n]: how many of the first n layers of the order are of that kind. */
  readonly #counts: readonly (readonly number[])[];
  /** Σ bytes of the first n layers, resident. */
  readonly #residentBytes: readonly number[];
  readonly #mostSlots: readonly number[];

  /** `mostShards` of a slab can be addressed. */
  constructor(model: ModelNumbers, mostShards: number) {
    this.#model = model;
    this.#order = layerOrder(model.layers).map((i) => model.layers[i]);
    const keyOf = (layer: LayerNumbers) => `${layer.slotBytes}/${layer.fileBytes}/${layer.slotsPerShard}`;
    this.#kinds = [...new Map(this.#order.map((layer) => [keyOf(layer), layer])).values()];
    this.#counts = this.#kinds.map((kind) => runningSums(this.#order.map((layer) => Number(keyOf(layer) === keyOf(kind)))));
    this.#residentBytes = runningSums(this.#order.map((layer) => slabBytes(layer, model.nExperts)));
    this.#mostSlots = this.#kinds.map(({ slotsPerShard }) => slotsPerShard * mostShards);
  }

  /** Every expert in a slot; null where a slab would have too many shards. */
  allResident(): Placement | null {
    const nResident = this.#order.length;
    if (this.#mostOf(0, nResident) < this.#model.nExperts) return null;
    return { nResident, nStreamed: 0, nSlots: 0, nBonus: 0, expertsBytes: this.#residentBytes[nResident] };
  }

  /** Those within `budgetBytes` where at least one layer passes experts through a transit slab. */
  *within(budgetBytes: number, transitSlots: number): Generator<Placement> {
    const n = this.#order.length;
    const step = Math.max(1, Math.floor(n / MOST_STEPS));
    for (let nResident = 0; nResident < n; nResident += step) {
      if (this.#mostOf(0, nResident) < this.#model.nExperts) return;
      const fixed = this.#residentBytes[nResident] + transitBytes(this.#order.slice(nResident), transitSlots);
      if (fixed > budgetBytes) return;
      for (let nStreamed = 0; nResident + nStreamed < n; nStreamed += step) {
        const placed = this.#slotted(nResident, nStreamed, fixed, budgetBytes);
        if (placed) yield placed;
      }
      yield { nResident, nStreamed: n - nResident, nSlots: 0, nBonus: 0, expertsBytes: fixed };
    }
  }

  groups({ nResident, nStreamed, nSlots, nBonus }: Placement): PlacedGroup[] {
    const end = this.#order.length;
    const runs = [
      [0, nResident, this.#model.nExperts],
      [nResident, nResident + nBonus, nSlots + 1],
      [nResident + nBonus, end - nStreamed, nSlots],
      [end - nStreamed, end, 0],
    ] as const;
    return runs.flatMap(([from, to, slots]) =>
      this.#kinds.flatMap((kind, k) => {
        const count = this.#counts[k][to] - this.#counts[k][from];
        return count > 0 ? [{ ...kind, count, nSlots: slots }] : [];
      }),
    );
  }

  #slotted(nResident: number, nStreamed: number, fixed: number, budgetBytes: number): Placement | null {
    const [from, to] = [nResident, this.#order.length - nStreamed];
    const { nExperts, nUsed } = this.#model;
    const most = Math.min(nExperts - 1, this.#mostOf(from, to));
    const bytes = (nSlots: number) =>
      this.#kinds.reduce((sum, kind, k) => sum + (this.#counts[k][to] - this.#counts[k][from]) * slabBytes(kind, nSlots), fixed);
    const nSlots = largest(LEAST_SLOTS_PER_USED * nUsed, most, (n) => bytes(n) <= budgetBytes);
    if (nSlots === null) return null;
    let expertsBytes = bytes(nSlots);
    let nBonus = 0;
    while (nSlots < most && from + nBonus < to) {
      const layer = this.#order[from + nBonus];
      const more = slabBytes(layer, nSlots + 1) - slabBytes(layer, nSlots);
      if (expertsBytes + more > budgetBytes) break;
      expertsBytes += more;
      nBonus++;
    }
    return { nResident, nStreamed, nSlots, nBonus, expertsBytes };
  }

  /** Slots that every layer of a range can have. */
  #mostOf(from: number, to: number): number {
    return Math.min(Infinity, ...this.#mostSlots.filter((_, k) => this.#counts[k][to] > this.#counts[k][from]));
  }
}

function runningSums(values: readonly number[]): number[] {
  const sums = [0];
  for (const value of values) sums.push(sums[sums.length - 1] + value);
  return sums;
}

export interface PlacedLayer extends LayerNumbers {
  /** E: resident; 0: streamed. */
  readonly nSlots: number;
}

/** The layers in model order. */
export function placedLayers(model: ModelNumbers, { nResident, nStreamed, nSlots, nBonus }: Placement): PlacedLayer[] {
  const placed: PlacedLayer[] = new Array<PlacedLayer>(model.layers.length);
  layerOrder(model.layers).forEach((index, i) => {
    const own =
      i < nResident ? model.nExperts : i >= model.layers.length - nStreamed ? 0 : nSlots + (i - nResident < nBonus ? 1 : 0);
    placed[index] = { ...model.layers[index], nSlots: own };
  });
  return placed;
}
