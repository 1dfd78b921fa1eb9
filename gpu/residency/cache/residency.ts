/**
 * The experts of a loaded model as they come and go: who has a slot, who comes for whom, and what that cost. All changes go through the queue
 * between submissions of decode, so that no submitted work sees half of one.
 */
import type { ModelSpec } from '../../architectures/types.ts';
import type { GpuDevice } from '../../device/open-device.ts';
import { invariant } from '../../invariant.ts';
import type { LayerBuffers } from '../../runtime/buffers.ts';
import type { LoadedBuffers } from '../../runtime/weights.ts';
import type { MoeLayerPlan } from '../footprint.ts';
import { ABSENT_SLOT, slotEntry } from '../slab-geometry.ts';
import { noCounts, type CachePolicyFactory, type ResidencyCounters, type ResidencyPlan } from '../types.ts';
import { ExpertLoader, type LoadJob, type SlowTier } from './expert-loader.ts';
import { ExpertStore, stagedParts } from './expert-store.ts';
import { LayerSlots, type SlotKeeper } from './layer-slots.ts';
import type { SlotTable } from './slot-table.ts';
import { TransitSlots } from './transit-slots.ts';

export interface ResidencyOptions {
  readonly plan: ResidencyPlan;
  readonly policy: CachePolicyFactory;
  readonly warmCounts?: readonly ArrayLike<number>[];
}

/** Experts that a token wants at a layer, all K of them. */
export interface LayerDemand {
  readonly layer: number;
  readonly experts: ArrayLike<number>;
  /** How many of them exact routing would not have chosen. */
  readonly substitutes: number;
}

type Totals = { -readonly [K in keyof ResidencyCounters]: ResidencyCounters[K] };
type MoeBuffers = Extract<LayerBuffers['ffn'], { kind: 'moe' }>;

export class Residency {
  /** Events besides loading, counted by whoever runs the tokens. */
  readonly totals: Totals;
  readonly #gpu: GpuDevice;
  readonly #loader: ExpertLoader;
  readonly #store: ExpertStore;
  readonly #table: SlotTable;
  readonly #transit: TransitSlots;
  /** By layer of the model; absent: every expert has a slot. */
  readonly #keepers = new Map<number, SlotKeeper>();
  readonly #plans: ReadonlyMap<number, MoeLayerPlan>;
  readonly #buffers: ReadonlyMap<number, MoeBuffers>;
  /** Experts that came for the token in progress, and from where: `layer:expert`. */
  readonly #fetched = new Map<string, SlowTier>();

  /** null: every expert has a slot, nothing can be missed. */
  static async create(
    gpu: GpuDevice,
    model: ModelSpec,
    buffers: LoadedBuffers,
    options: ResidencyOptions,
  ): Promise<Residency | null> {
    const passing = buffers.experts.footprint.layers.filter(({ transit }) => transit);
    if (passing.length === 0) return null;
    const store = new ExpertStore(model.file.sources, options.plan.ramPoolBytes);
    const loader = await ExpertLoader.create(gpu, store, {
      slabs: buffers.layers.flatMap(({ ffn }) => (ffn.kind === 'moe' && ffn.transit ? [ffn.slab, ffn.transit] : [])),
      expertBytes: Math.max(...passing.map(({ ffn }) => stagedParts({ ffn, expert: 0 }).sizeBytes)),
      stagingBytes: options.plan.stagingBytes,
    });
    return new Residency(gpu, buffers, options, store, loader);
  }

  private constructor(
    gpu: GpuDevice,
    { experts, layers }: LoadedBuffers,
    options: ResidencyOptions,
    store: ExpertStore,
    loader: ExpertLoader,
  ) {
    const { footprint, table, occupants } = experts;
    invariant(table, 'a model with experts has a slot table');
    this.#gpu = gpu;
    this.#store = store;
    this.#loader = loader;
    this.#table = table;
    this.#transit = new TransitSlots(footprint.transitSlots);
    this.#plans = new Map(footprint.layers.map((plan) => [plan.layer, plan]));
    this.#buffers = new Map(layers.flatMap(({ ffn }, layer) => (ffn.kind === 'moe' ? [[layer, ffn] as const] : [])));
    footprint.layers.forEach(({ layer, ffn, residency, nUsed }, moeIndex) => {
      if (residency.kind === 'resident') return;
      if (residency.kind === 'streamed') {
        this.#keepers.set(layer, this.#transit);
        return;
      }
      const shape = { nExperts: ffn.moe.nExperts, nSlots: residency.nSlots, nUsed };
      const policy = options.policy(shape);
      const counts = options.warmCounts?.[moeIndex];
      if (counts) policy.warm(counts);
      this.#keepers.set(layer, new LayerSlots(layer, shape, policy, occupants.get(layer) ?? []));
    });
    this.totals = noCounts(footprint.slotsBytes + footprint.transitBytes);
  }

  isStreamed(layer: number): boolean {
    return this.#keepers.get(layer) === this.#transit;
  }

  canMiss(layer: number): boolean {
    return this.#keepers.has(layer);
  }

  hasSlot(layer: number, expert: number): boolean {
    return this.#keepers.get(layer)?.has(layer, expert) ?? true;
  }

  /** Those of `experts` that have no slot, each once. */
  absent(layer: number, experts: ArrayLike<number>): number[] {
    const keeper = this.#keepers.get(layer);
    if (!keeper) return [];
    return [...new Set(Array.from(experts))].filter((expert) => !keeper.has(layer, expert));
  }

  /** Those of `experts` that had to be brought for the token in progress. */
  brought(layer: number, experts: ArrayLike<number>): number[] {
    return Array.from(experts).filter((expert) => this.#fetched.has(`${layer}:${expert}`));
  }

  beginToken(): void {
    this.#fetched.clear();
  }

  /**
   * Puts what is absent of `demands` into slots, the first demand first. All of the first one comes; of later ones as much as has room beside
   * what is wanted. Resolves with how many came. Rejects as the loader does: then what did not come is absent, and nothing else has changed but who had the slots.
   */
  async fetch(demands: readonly LayerDemand[], signal?: AbortSignal): Promise<number> {
    const jobs: LoadJob[] = [];
    /** Grows demand by demand: a later one never takes what an earlier one wants. */
    const kept = new Map<number, ReadonlySet<number>>();
    for (const [i, { layer, experts }] of demands.entries()) {
      const keeper = this.#keepers.get(layer);
      if (!keeper) continue;
      kept.set(layer, new Set(Array.from(experts)));
      for (const expert of this.absent(layer, experts)) {
        const reservation = keeper.reserve(layer, expert, kept);
        invariant(reservation || i > 0, `no slot for expert ${expert} of layer ${layer}`);
        if (!reservation) break;
        if (reservation.evicted) {
          this.#table.clear(reservation.evicted.layer, reservation.evicted.expert);
          this.totals.evictions++;
        }
        const { slab } = this.#moe(layer);
        jobs.push({ layer, expert, ffn: this.#plan(layer).ffn, isScan: false, slab, slot: reservation.slot });
      }
    }
    if (jobs.length === 0) return 0;
    try {
      const tiers = await this.#loader.load(jobs, signal);
      jobs.forEach(({ layer, expert, slab, slot }, i) => {
        this.#keeper(layer).settle(layer, expert, slot);
        this.#table.set(layer, expert, slotEntry(slab, slot));
        this.#fetched.set(`${layer}:${expert}`, tiers[i]);
      });
      return jobs.length;
    } catch (error) {
      for (const { layer, slot } of jobs) this.#keeper(layer).abandon(slot);
      throw error;
    } finally {
      this.#table.flush(this.#gpu.device.queue);
    }
  }

  /** Before a prefill, which needs the transit slab: what streamed layers left there is absent again. */
  clearTransit(): void {
    for (const { layer, expert } of this.#transit.clear()) this.#table.clear(layer, expert);
    this.#table.flush(this.#gpu.device.queue);
  }

  /** At most so many experts pass at once. */
  get transitSlots(): number {
    return this.#transit.nSlots;
  }

  /** Puts `experts` of a layer, and nobody else, into the transit slab, where prefill's steps find them. Rejects as the loader does. */
  async pass(layer: number, experts: readonly number[], signal?: AbortSignal): Promise<void> {
    const { transit } = this.#moe(layer);
    invariant(transit && experts.length <= this.#transit.nSlots, `${experts.length} experts of layer ${layer} in transit`);
    const { ffn } = this.#plan(layer);
    await this.#loader.load(
      experts.map((expert, slot) => ({ layer, expert, ffn, isScan: true, slab: transit, slot })),
      signal,
    );
    const row = new Uint32Array(ffn.moe.nExperts).fill(ABSENT_SLOT);
    experts.forEach((expert, slot) => (row[expert] = slotEntry(transit, slot)));
    const { buffer, offsetBytes } = transit.table;
    this.#gpu.device.queue.writeBuffer(buffer, offsetBytes + 4 * transit.tableOffset, row);
  }

  /** A token is done: `routing` holds what it used, layer by layer. */
  commit(routing: readonly LayerDemand[]): void {
    for (const { layer, experts, substitutes } of routing) {
      this.totals.substitutes += substitutes;
      const keeper = this.#keepers.get(layer);
      if (keeper instanceof LayerSlots) keeper.used(experts);
      for (const expert of Array.from(experts)) {
        const tier = this.#fetched.get(`${layer}:${expert}`);
        if (tier === undefined) this.totals.hits++;
        else if (tier === 'ram') this.totals.missesFromRam++;
        else this.totals.missesFromDisk++;
      }
    }
  }

  counters(): ResidencyCounters {
    return {
      ...this.totals,
      expertBytesRead: this.#store.bytesRead,
      expertBytesUploaded: this.#loader.bytesUploaded,
      ramPoolBytes: this.#store.poolBytes,
    };
  }

  /**
   * Until `writeTable`: every expert of the table on the GPU points at a slot of its layer, whoever is in it, K of them at as many slots as the choice
   * allows. A token then takes as long as with all experts there; what it computes means nothing.
   */
  pretendAllPresent(): void {
    for (const layer of this.#keepers.keys()) {
      const { slab } = this.#moe(layer);
      const { ffn, residency } = this.#plan(layer);
      const nSlots = residency.kind === 'slotted' ? residency.nSlots : this.#transit.nSlots;
      const row = Uint32Array.from({ length: ffn.moe.nExperts }, (_, expert) => slotEntry(slab, expert % nSlots));
      this.#gpu.device.queue.writeBuffer(slab.table.buffer, slab.table.offsetBytes + 4 * slab.tableOffset, row);
    }
  }

  /** Puts the table on the GPU back to who has which slot. */
  writeTable(): void {
    this.#table.rewrite(this.#gpu.device.queue);
  }

  resizeRamPool(bytes: number): void {
    this.#store.resizePool(bytes);
  }

  /** From now on no expert is read; resolves when no read into the device's memory is in flight. */
  stop(): Promise<void> {
    return this.#loader.stop();
  }

  dispose(): void {
    this.#loader.dispose();
  }

  #plan(layer: number): MoeLayerPlan {
    const plan = this.#plans.get(layer);
    invariant(plan, `layer ${layer} has experts`);
    return plan;
  }

  #moe(layer: number): MoeBuffers {
    const moe = this.#buffers.get(layer);
    invariant(moe, `layer ${layer} has experts`);
    return moe;
  }

  #keeper(layer: number): SlotKeeper {
    const keeper = this.#keepers.get(layer);
    invariant(keeper, `layer ${layer} is not resident`);
    return keeper;
  }
}
