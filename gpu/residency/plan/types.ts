/**
 * What the planner takes and gives, as plain data: a model in numbers, a machine in numbers, budgets; a plan with its bytes, its prediction
 * and a sentence for every choice. Nothing here knows files or the GPU.
 */
import type { KvType } from '../../quant/kv-types.ts';
import type { GpuBytes, ResidencyPlan } from '../types.ts';

/** Experts of one MoE layer. */
export interface LayerNumbers {
  /** One expert in its slot, a multiple of 256. */
  readonly slotBytes: number;
  /** One expert in the file. */
  readonly fileBytes: number;
  /** One expert in a staging buffer. */
  readonly stagedBytes: number;
  /** Slots in one shard: what the binding limit allows. */
  readonly slotsPerShard: number;
}

/** A model as the planner sees it. Made from a ModelSpec (model-numbers.ts), or from a handful of facts (fit-verdict). */
export interface ModelNumbers {
  /** MoE layers in model order; empty: dense. */
  readonly layers: readonly LayerNumbers[];
  /** E and K, the same for all MoE layers; 0 for a dense model. */
  readonly nExperts: number;
  readonly nUsed: number;
  readonly trainedContextTokens: number;
  /** Everything that is no routed expert: attention, embedding, head, routers, shared experts, norms. */
  readonly weightsBytes: number;
  /** Of these the bytes that one decode step reads. */
  readonly weightsTouchedBytes: number;
  /** Dispatches of one decode step. */
  readonly nDispatches: number;
  /** Of keys and values. */
  readonly kvType: KvType;
  kvBytes(contextTokens: number): number;
  /** Activations of decode and of a prefill chunk. */
  activationBytes(contextTokens: number, chunkTokens: number): number;
  /** Read-back buffers of decode. */
  readonly readbackBytes: number;
  /** Whether bytes are put into planes on the GPU, from a scratch as large as a staging buffer; on a software adapter the host does it. */
  readonly repacksOnGpu: boolean;
  /** Read-back buffers and uniforms that come besides where experts pass through a transit slab. */
  passingBytes(chunkTokens: number): { readonly readbackBytes: number; readonly uniformBytes: number };
  /** Slot tables: the model's, and the one more where experts pass through a transit slab. */
  readonly tableBytes: number;
  readonly transitTableBytes: number;
}

/** null: not measured; the planner then assumes a figure and says so. Rates in bytes per second, times in milliseconds. */
export interface MachineFigures {
  /** GPU and processor share one memory (integrated GPUs, software adapters): no RAM pool, the page cache serves. */
  readonly unifiedMemory: boolean;
  readonly software: boolean;
  /** What could be allocated on the GPU when it was probed. */
  readonly gpuFreeBytes: number | null;
  readonly ramFreeBytes: number;
  readonly ramTotalBytes: number;
  readonly diskBytesPerSecond: number | null;
  /** RAM → GPU, with the repacking. */
  readonly uploadBytesPerSecond: number | null;
  readonly readbackMs: number | null;
  /** Weight bytes that decode kernels read per second, and the cost of a dispatch besides. */
  readonly computeBytesPerSecond: number | null;
  readonly dispatchMs: number | null;
}

/** Speeds of an adapter with tensors of one type. */
export interface LinkRates {
  /** RAM → GPU, blocks of the type put into planes on the way. */
  readonly uploadBytesPerSecond: number;
  /** Submission, its end, and the result mapped. */
  readonly readbackMs: number;
  /** Weight bytes of the type that a matrix-vector product reads. */
  readonly computeBytesPerSecond: number;
  readonly dispatchMs: number;
}

/** Speeds as measured once per adapter and tensor type, for the host to keep and hand in the next time. */
export interface DeviceLinks extends LinkRates {
  readonly adapter: string;
  readonly tensorType: string;
  readonly diskBytesPerSecond: number | null;
}

/** What the host knows of the machine: the device adds what only it can see. */
export interface Surroundings {
  readonly ramFreeBytes: number;
  readonly ramTotalBytes: number;
  /** Measured before, whatever the adapter; measured again where this one is not among them. */
  readonly links: readonly DeviceLinks[];
}

/** Measured with this very model before; each replaces what would be assumed. */
export interface ModelHistory {
  /** A decode step with all experts at hand. */
  readonly computeMsPerToken: number | null;
  /** Share of slots → share of uses that hit, from recorded routing; ascending. */
  readonly hitCurve: readonly (readonly [share: number, hit: number])[] | null;
}

/** null: chosen by the planner. */
export interface Budgets {
  readonly gpuBytes: number | null;
  readonly ramBytes: number | null;
  /** Nobody asked for `gpuBytes`: the GPU refused more. */
  readonly gpuRefusedMore?: boolean;
}

export interface ContextWish {
  readonly tokens: number;
  /** Refuse rather than lower it. */
  readonly fixed: boolean;
}

export interface PlanRequest {
  readonly budgets: Budgets;
  readonly machine: MachineFigures;
  /** null: at most 4096, as far as the budget goes. */
  readonly context: ContextWish | null;
  readonly history?: ModelHistory;
  /** Length of the prompt whose speed is predicted; default 512. The plan does not depend on it. */
  readonly promptTokens?: number;
}

export type PlanTopic =
  'gpu budget' | 'ram budget' | 'context' | 'always resident' | 'experts' | 'transit' | 'chunk' | 'ram pool' | 'sidecar';

export interface PlanReason {
  readonly topic: PlanTopic;
  readonly choice: string;
  readonly why: string;
}

export interface PlannedGpuBytes extends GpuBytes {
  readonly budgetBytes: number;
}

export interface Prediction {
  readonly tokensPerSecond: number;
  /** With hit rates a quarter more and a quarter less misses than assumed, and the rates' own spread. */
  readonly fromTokensPerSecond: number;
  readonly toTokensPerSecond: number;
  /** Share of expert uses that find their expert on the GPU, over all MoE layers. */
  readonly hitRate: number;
  readonly hitRateSource: 'certain' | 'assumed' | 'recorded';
  readonly missesFromRamPerToken: number;
  readonly missesFromDiskPerToken: number;
  readonly readbacksPerToken: number;
  readonly bytesReadPerToken: number;
  readonly bytesUploadedPerToken: number;
  readonly computeMs: number;
  readonly waitMs: number;
  readonly transferMs: number;
  /** Of a prompt of 512 tokens, or of as many as were asked for, or as the context has. */
  readonly promptTokensPerSecond: number;
  /** What was assumed because nothing has measured it. */
  readonly assumptions: readonly string[];
}

export interface OffloadPlan {
  readonly residency: ResidencyPlan;
  readonly contextTokens: number;
  /** Of keys and values. */
  readonly kvType: KvType;
  readonly prefillChunkTokens: number;
  readonly gpu: PlannedGpuBytes;
  readonly ram: { readonly poolBytes: number; readonly budgetBytes: number };
  /** Expert bytes that only the file holds. */
  readonly diskBytes: number;
  readonly layers: { readonly resident: number; readonly slotted: number; readonly streamed: number };
  /** Share of expert bytes that have a slot. */
  readonly slotShare: number;
  readonly sidecar: boolean;
  /** The least GPU budget with which this model and context run. */
  readonly leastGpuBytes: number;
  readonly prediction: Prediction;
  readonly reasons: readonly PlanReason[];
}
