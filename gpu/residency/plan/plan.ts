/**
 * The planner: a model in numbers, a machine in numbers and budgets → where every expert lives. Pure. It tries every placement with every
 * chunk and staging size that fits and takes the one that answers a reference turn soonest, so that more budget is never slower.
 */
import { engineError } from '../../errors.ts';
import { mostStagingBuffers } from '../staging.ts';
import type { LayerResidency } from '../types.ts';
import { GPU_SHARE, resolveBudgets, type ResolvedBudgets } from './budgets.ts';
import { chooseContext, DEFAULT_CONTEXT_TOKENS } from './context.ts';
import { tokenCost, type TokenCost } from './cost.ts';
import { assumedHitCurve, recordedHitCurve } from './hit-rate.ts';
import { placedLayers, PlacementSpace, transitBytes, type PlacedGroup, type PlacedLayer, type Placement } from './placement.ts';
import { ratesOf, type Rates } from './rates.ts';
import { planReasons } from './reasons.ts';
import { mebibytes } from './words.ts';
import type { MachineFigures, ModelHistory, ModelNumbers, OffloadPlan, PlanRequest, Prediction } from './types.ts';

/** Prompt and answer of the turn that a plan is chosen for. */
const TURN = { promptTokens: 512, answerTokens: 256 };
const CHUNKS = [16, 32, 64, 128, 256, 512] as const;
/** Without experts to stream a longer chunk buys little for its activations. */
const RESIDENT_CHUNK = 128;
/** Experts at once; each is three reads. */
const READS_IN_FLIGHT = [1, 2, 4] as const;
/** Shards that `experts-up` and `experts-down` bind in one dispatch. */
const MOST_SLAB_SHARDS = 2;
/** Of the expert bytes that come from disk per token, above which one aligned read per expert is worth a second copy of the file. */
const SIDECAR_LEAST_BYTES = 16 * 2 ** 20;

interface Candidate {
  readonly placement: Placement;
  readonly chunkTokens: number;
  readonly readsInFlight: number;
  readonly transitSlots: number;
  readonly stagingBytes: number;
  readonly totalBytes: number;
  readonly cost: TokenCost;
  readonly turnMs: number;
}

/** What of a placement a token's time depends on. */
interface Placed extends Pick<Candidate, 'totalBytes' | 'readsInFlight' | 'chunkTokens'> {
  readonly groups: readonly PlacedGroup[];
}

/** Throws `engine.budget` with `leastBytes` below the floor, `gpu.limits` where the adapter cannot hold one token's experts. */
export function planOffload(model: ModelNumbers, request: PlanRequest): OffloadPlan {
  checkLimits(model);
  const budgets = resolveBudgets(request.budgets, request.machine);
  const fits = (contextTokens: number) => leastGpuBytes(model, contextTokens) <= budgets.gpuBytes;
  const allResident = (contextTokens: number) => allResidentBytes(model, contextTokens) <= budgets.gpuBytes;
  const context = chooseContext(model, request.context, budgets.gpuBytes, { fits, allResident });
  const leastBytes = leastGpuBytes(model, context.tokens);
  if (leastBytes > budgets.gpuBytes) throw belowFloor(budgets, leastBytes, context.tokens);
  const search = new Search(model, request, budgets, context.tokens);
  const best = search.best();
  const layers = placedLayers(model, best.placement);
  const prediction = predict(search, search.placed(best));
  const residency = layers.map(({ nSlots }) => residencyOf(nSlots, model.nExperts));
  const count = (kind: LayerResidency['kind']) => residency.filter((layer) => layer.kind === kind).length;
  const expertBytes = (of: (layer: PlacedLayer) => number) => layers.reduce((sum, layer) => sum + of(layer), 0);
  const slotted = expertBytes(({ nSlots, fileBytes }) => nSlots * fileBytes);
  const all = model.nExperts * expertBytes(({ fileBytes }) => fileBytes);
  const poolBytes = search.poolBytes(best.placement);
  const kvBytes = model.kvBytes(context.tokens);
  const prefillChunkTokens = Math.min(best.chunkTokens, context.tokens);
  const passing = best.transitSlots > 0 ? model.passingBytes(prefillChunkTokens) : { readbackBytes: 0, uniformBytes: 0 };
  const activationsBytes = model.activationBytes(context.tokens, prefillChunkTokens) + passing.uniformBytes;
  const stagingBytes = model.readbackBytes + passing.readbackBytes + best.stagingBytes;
  const plan: Omit<OffloadPlan, 'reasons'> = {
    residency: {
      layers: residency,
      ramPoolBytes: poolBytes,
      // The loader takes one buffer's worth of it for the scratch, used or not.
      stagingBytes: best.stagingBytes === 0 ? 0 : expertStaging({ ...model, repacksOnGpu: true }, best.readsInFlight),
      ...(best.transitSlots > 0 ? { transitSlots: best.transitSlots } : {}),
    },
    contextTokens: context.tokens,
    kvType: model.kvType,
    prefillChunkTokens,
    gpu: {
      weightsBytes: model.weightsBytes,
      expertsBytes: best.totalBytes - model.weightsBytes - kvBytes - activationsBytes - stagingBytes,
      kvBytes,
      activationsBytes,
      stagingBytes,
      totalBytes: best.totalBytes,
      budgetBytes: budgets.gpuBytes,
    },
    ram: { poolBytes, budgetBytes: budgets.ramBytes },
    diskBytes: Math.max(0, all - slotted - poolBytes),
    layers: { resident: count('resident'), slotted: count('slotted'), streamed: count('streamed') },
    slotShare: all === 0 ? 1 : slotted / all,
    sidecar: prediction.missesFromDiskPerToken > 0 && prediction.bytesReadPerToken >= SIDECAR_LEAST_BYTES,
    leastGpuBytes: leastBytes,
    prediction,
  };
  return { ...plan, reasons: planReasons(model, plan, { budgets, context, machine: request.machine }) };
}

/** What `plan`, made of this request before, will do by what is known now. */
export function predictPlan(model: ModelNumbers, plan: OffloadPlan, request: PlanRequest): Prediction {
  const search = new Search(model, request, resolveBudgets(request.budgets, request.machine), plan.contextTokens);
  const slotsOf = (layer: LayerResidency) =>
    layer.kind === 'resident' ? model.nExperts : layer.kind === 'slotted' ? layer.nSlots : 0;
  const groups = plan.residency.layers.map((layer, i) => ({ ...model.layers[i], count: 1, nSlots: slotsOf(layer) }));
  const perRead = expertStaging({ ...model, repacksOnGpu: false }, 1);
  return predict(search, {
    groups,
    totalBytes: plan.gpu.totalBytes,
    chunkTokens: plan.prefillChunkTokens,
    readsInFlight: perRead === 0 ? 1 : Math.max(1, Math.round(plan.residency.stagingBytes / perRead) - 1),
  });
}

/** The least that runs: every layer streamed, one read in flight, the shortest chunk. */
export function leastGpuBytes(model: ModelNumbers, contextTokens: number): number {
  const resident = allResidentBytes(model, contextTokens, CHUNKS[0]);
  if (model.layers.length === 0) return resident;
  const passing = expertStaging(model, 1) + passingBytes(model, Math.min(CHUNKS[0], contextTokens));
  const streamed = fixedBytes(model, contextTokens, CHUNKS[0]) + transitBytes(model.layers, model.nUsed) + passing;
  return Math.min(streamed, resident);
}

/** The most that a plan can use: all resident, with the longest context that is chosen unasked. */
export function mostGpuBytes(model: ModelNumbers): number {
  const contextTokens = Math.min(model.trainedContextTokens, DEFAULT_CONTEXT_TOKENS);
  const experts = model.nExperts * model.layers.reduce((sum, { slotBytes }) => sum + slotBytes, 0);
  return Math.ceil((fixedBytes(model, contextTokens, RESIDENT_CHUNK) + experts) / GPU_SHARE);
}

function allResidentBytes(model: ModelNumbers, contextTokens: number, chunkTokens: number = RESIDENT_CHUNK): number {
  const all = new PlacementSpace(model, MOST_SLAB_SHARDS).allResident();
  if (all === null) return Infinity;
  return fixedBytes(model, contextTokens, chunkTokens) + all.expertsBytes;
}

/** Everything but slabs, transit slab and what brings experts. */
function fixedBytes(model: ModelNumbers, contextTokens: number, chunkTokens: number): number {
  const chunk = Math.min(chunkTokens, contextTokens);
  return (
    model.weightsBytes +
    model.kvBytes(contextTokens) +
    model.activationBytes(contextTokens, chunk) +
    model.readbackBytes +
    model.tableBytes
  );
}

function readsInFlightOf({ repacksOnGpu }: ModelNumbers): number[] {
  return READS_IN_FLIGHT.filter((count) => count <= mostStagingBuffers(!repacksOnGpu));
}

/** A staging buffer per read in flight, and the scratch from which bytes are put into planes, for the largest expert. */
function expertStaging(model: ModelNumbers, readsInFlight: number): number {
  const largest = Math.max(0, ...model.layers.map(({ stagedBytes }) => stagedBytes));
  return (readsInFlight + (model.repacksOnGpu ? 1 : 0)) * Math.ceil(largest / 16) * 16;
}

/** What comes besides where experts pass through a transit slab. */
function passingBytes(model: ModelNumbers, chunkTokens: number): number {
  const { readbackBytes, uniformBytes } = model.passingBytes(chunkTokens);
  return readbackBytes + uniformBytes + model.transitTableBytes;
}

class Search {
  readonly model: ModelNumbers;
  readonly rates: Rates;
  readonly hitRate: (share: number) => number;
  readonly history: ModelHistory;
  readonly #space: PlacementSpace;
  readonly #machine: MachineFigures;
  readonly #budgets: ResolvedBudgets;
  readonly #contextTokens: number;
  readonly #promptTokens: number;

  constructor(model: ModelNumbers, request: PlanRequest, budgets: ResolvedBudgets, contextTokens: number) {
    this.model = model;
    this.rates = ratesOf(request.machine);
    this.history = request.history ?? { computeMsPerToken: null, hitCurve: null };
    const { hitCurve } = this.history;
    this.hitRate = hitCurve ? recordedHitCurve(hitCurve) : assumedHitCurve(model.nExperts);
    this.#space = new PlacementSpace(model, MOST_SLAB_SHARDS);
    this.#machine = request.machine;
    this.#budgets = budgets;
    this.#contextTokens = contextTokens;
    this.#promptTokens = request.promptTokens ?? TURN.promptTokens;
  }

  best(): Candidate {
    let best: Candidate | null = null;
    for (const candidate of this.#candidates()) if (best === null || isBetter(candidate, best)) best = candidate;
    if (best === null) throw belowFloor(this.#budgets, leastGpuBytes(this.model, this.#contextTokens), this.#contextTokens);
    return best;
  }

  /** Expert bytes that the pool will hold: no more than have no slot. */
  poolBytes(placement: Placement): number {
    return this.#poolBytes(this.#space.groups(placement));
  }

  placed({ placement, ...of }: Omit<Candidate, 'cost' | 'turnMs'>): Placed {
    return { groups: this.#space.groups(placement), ...of };
  }

  costOf(placed: Placed, hitRate = this.hitRate, promptTokens = this.#promptTokens): TokenCost {
    const { model } = this;
    const prompt = Math.min(promptTokens, this.#contextTokens);
    const { groups } = placed;
    // On unified memory what the system can spare besides our own buffers caches the file.
    const cached = this.#machine.unifiedMemory ? Math.max(0, this.#machine.ramFreeBytes - placed.totalBytes) / 2 : 0;
    const without = this.#bytesWithoutSlot(groups);
    const inRam = Math.max(this.#poolBytes(groups), cached);
    return tokenCost({
      groups,
      nExperts: model.nExperts,
      nUsed: model.nUsed,
      weightsTouchedBytes: model.weightsTouchedBytes,
      nDispatches: model.nDispatches,
      computeMsPerToken: this.history.computeMsPerToken,
      rates: this.rates,
      hitRate,
      ramShare: without === 0 ? 1 : Math.min(1, inRam / without),
      readsInFlight: placed.readsInFlight,
      chunkTokens: prompt / Math.ceil(prompt / placed.chunkTokens),
    });
  }

  #bytesWithoutSlot(groups: readonly PlacedGroup[]): number {
    return groups.reduce((sum, { count, nSlots, fileBytes }) => sum + count * (this.model.nExperts - nSlots) * fileBytes, 0);
  }

  #poolBytes(groups: readonly PlacedGroup[]): number {
    const largest = Math.max(0, ...groups.map(({ fileBytes }) => fileBytes));
    const poolBytes = Math.min(this.#budgets.ramBytes, this.#bytesWithoutSlot(groups));
    return poolBytes >= this.model.nUsed * largest ? poolBytes : 0;
  }

  *#candidates(): Generator<Candidate> {
    const { model } = this;
    const budgetBytes = this.#budgets.gpuBytes;
    for (const chunkTokens of [RESIDENT_CHUNK, ...CHUNKS]) {
      const totalBytes = allResidentBytes(model, this.#contextTokens, chunkTokens);
      const placement = this.#space.allResident();
      if (placement === null || totalBytes > budgetBytes) continue;
      yield this.#costed({ placement, chunkTokens, readsInFlight: 1, transitSlots: 0, stagingBytes: 0, totalBytes });
      if (chunkTokens === RESIDENT_CHUNK) return; // nothing is faster than that, whatever else fits
    }
    const { nUsed, nExperts } = model;
    const addressable = MOST_SLAB_SHARDS * Math.min(...model.layers.map(({ slotsPerShard }) => slotsPerShard));
    const transitSlots = Math.min(2 * nUsed, nExperts, addressable);
    for (const chunkTokens of CHUNKS) {
      for (const readsInFlight of readsInFlightOf(model)) yield* this.#passing(chunkTokens, readsInFlight, transitSlots);
    }
    for (const least of this.#passing(CHUNKS[0], 1, nUsed)) if (least.placement.nStreamed === model.layers.length) yield least;
  }

  /** Where at least one layer passes its experts through a transit slab. */
  *#passing(chunkTokens: number, readsInFlight: number, transitSlots: number): Generator<Candidate> {
    const { model } = this;
    const stagingBytes = expertStaging(model, readsInFlight);
    const besides =
      fixedBytes(model, this.#contextTokens, chunkTokens) +
      stagingBytes +
      passingBytes(model, Math.min(chunkTokens, this.#contextTokens));
    for (const placement of this.#space.within(this.#budgets.gpuBytes - besides, transitSlots)) {
      const totalBytes = besides + placement.expertsBytes;
      yield this.#costed({ placement, chunkTokens, readsInFlight, transitSlots, stagingBytes, totalBytes });
    }
  }

  #costed(candidate: Omit<Candidate, 'cost' | 'turnMs'>): Candidate {
    const cost = this.costOf(this.placed(candidate), this.hitRate, TURN.promptTokens);
    return { ...candidate, cost, turnMs: TURN.promptTokens * cost.prefillMs + TURN.answerTokens * cost.decodeMs };
  }
}

/** Sooner; as soon with fewer bytes. */
function isBetter(a: Candidate, b: Candidate): boolean {
  return a.turnMs < b.turnMs || (a.turnMs === b.turnMs && a.totalBytes < b.totalBytes);
}

function residencyOf(nSlots: number, nExperts: number): LayerResidency {
  if (nSlots >= nExperts) return { kind: 'resident' };
  return nSlots === 0 ? { kind: 'streamed' } : { kind: 'slotted', nSlots };
}

/** Misses are the least certain: a quarter more and a quarter fewer. */
const MISS_SPREAD = 0.25;
/** Rates drift with heat, drivers and what else runs. */
const RATE_SPREAD = 0.15;

function predict(search: Search, placed: Placed): Prediction {
  const cost = search.costOf(placed);
  const recorded = search.history.hitCurve !== null;
  const canMiss = placed.groups.some(({ nSlots }) => nSlots < search.model.nExperts);
  const withMisses = (factor: number) => {
    const hitRate = (share: number) => Math.min(1, Math.max(0, 1 - factor * (1 - search.hitRate(share))));
    return search.costOf(placed, hitRate).decodeMs;
  };
  const assumptions = [...search.rates.assumptions];
  if (canMiss && !recorded)
    assumptions.push(
      `${(100 * cost.hitRate).toFixed(0)} % of expert uses find their expert on the GPU, as measured for models with ${search.model.nExperts} experts like this.`,
    );
  return {
    tokensPerSecond: 1000 / cost.decodeMs,
    fromTokensPerSecond: (1000 / withMisses(1 + MISS_SPREAD)) * (1 - RATE_SPREAD),
    toTokensPerSecond: (1000 / withMisses(1 - MISS_SPREAD)) * (1 + RATE_SPREAD),
    hitRate: cost.hitRate,
    hitRateSource: canMiss ? (recorded ? 'recorded' : 'assumed') : 'certain',
    missesFromRamPerToken: cost.missesFromRam,
    missesFromDiskPerToken: cost.missesFromDisk,
    readbacksPerToken: cost.readbacks,
    bytesReadPerToken: cost.bytesRead,
    bytesUploadedPerToken: cost.bytesUploaded,
    computeMs: cost.computeMs,
    waitMs: cost.waitMs,
    transferMs: cost.transferMs,
    promptTokensPerSecond: 1000 / cost.prefillMs,
    assumptions,
  };
}

function checkLimits({ layers, nUsed }: ModelNumbers): void {
  const least = Math.min(...layers.map(({ slotsPerShard }) => slotsPerShard)) * MOST_SLAB_SHARDS;
  if (layers.length === 0 || least >= nUsed) return;
  throw engineError(
    'gpu.limits',
    `A token uses ${nUsed} experts of a layer at once, but this GPU binds only ${least} of them. Choose a model with smaller experts or a more strongly quantised file.`,
    { experts: nUsed, allowed: least },
  );
}

function belowFloor({ gpuBytes, gpuSource }: ResolvedBudgets, leastBytes: number, contextTokens: number) {
  // Whole units, up: what the sentence says then works.
  const [unitBytes, unit] = leastBytes < 2 ** 24 ? [2 ** 10, 'KiB'] : [2 ** 20, 'MiB'];
  const least = Math.ceil(leastBytes / unitBytes);
  const cure = gpuSource === 'given' ? `Allow ${least} ${unit}` : 'Close other programs that use the GPU';
  return engineError(
    'engine.budget',
    `The model needs at least ${least} ${unit} of GPU memory with a context of ${contextTokens} tokens; ${mebibytes(gpuBytes)} ` +
      `${gpuSource === 'given' ? 'were allowed' : 'are free'}. ${cure}, shorten the context or choose a smaller model.`,
    { leastBytes: least * unitBytes, budgetBytes: gpuBytes, contextTokens },
  );
}
