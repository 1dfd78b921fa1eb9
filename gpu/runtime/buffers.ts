/** The device-side parts that the decode and the prefill plan share. Made once at load by `weights.ts`, `kv-cache.ts` and `residency/`. */
import type { BufferRange } from '../device/types.ts';
import type { ComputeType } from '../quant/types.ts';

/** A matrix [rows, cols] in planes. Above the binding limit it is split by rows: each shard has its own planes. */
export interface MatrixShard {
  readonly range: BufferRange;
  readonly firstRow: number;
  readonly rows: number;
}
export interface MatrixBuffer {
  readonly type: ComputeType;
  readonly rows: number;
  readonly cols: number;
  readonly shards: readonly MatrixShard[];
}

/** q, k and v share one buffer so that one dispatch serves them; offsets are 16-byte units from the range's start. */
export interface FusedMatrices {
  readonly range: BufferRange;
  readonly parts: readonly {
    readonly type: ComputeType;
    readonly rows: number;
    readonly cols: number;
    readonly baseVec4: number;
  }[];
}

/** All norms, biases and other small f32 vectors of a layer in one buffer; offsets in f32 elements; -1 when absent. */
export interface LayerVectors {
  readonly range: BufferRange;
  readonly attentionNorm: number;
  readonly qBias: number;
  readonly kBias: number;
  readonly vBias: number;
  readonly outputBias: number;
  readonly qNorm: number;
  readonly kNorm: number;
  readonly ffnNorm: number;
  /** Of a sigmoid router, [E]. */
  readonly selectionBias: number;
  readonly sinks: number;
  /** Of the router's logits, [E]. */
  readonly routerBias: number;
  /** Of the experts: [E, F], [E, F], [E, D]. All or none. */
  readonly gateBiases: number;
  readonly upBiases: number;
  readonly downBiases: number;
}

/** One projection inside every slot of a slab. */
export interface SlotPart {
  readonly type: ComputeType;
  readonly rows: number;
  readonly cols: number;
  readonly offsetVec4: number;
}

/** Where a vector starts, undefined where the layer has none. */
export function placed(element: number): number | undefined {
  return element < 0 ? undefined : element;
}

/** Where the biases of gate and up rows start, undefined where experts have none. */
export function expertBiases({ gateBiases, upBiases }: LayerVectors): { gate: number; up: number } | undefined {
  return gateBiases < 0 ? undefined : { gate: gateBiases, up: upBiases };
}

export interface ExpertSlab {
  readonly shards: readonly BufferRange[];
  readonly slotsPerShard: number;
  readonly slotStrideBytes: number;
  readonly gate: SlotPart;
  readonly up: SlotPart;
  readonly down: SlotPart;
  /** u32 [layers · E]; this layer's row starts at `tableOffset` elements. */
  readonly table: BufferRange;
  readonly tableOffset: number;
}

export interface SharedExpertBuffers {
  /** gate, up and (when present) the [1, D] output gate: read by `router-matvec`. */
  readonly up: FusedMatrices;
  readonly down: MatrixBuffer;
  readonly width: number;
  readonly hasOutputGate: boolean;
}

export interface LayerBuffers {
  readonly vectors: LayerVectors;
  readonly qkv: FusedMatrices;
  readonly output: MatrixBuffer;
  readonly ffn:
    | { readonly kind: 'dense'; readonly gateUp: FusedMatrices; readonly down: MatrixBuffer; readonly width: number }
    | {
        readonly kind: 'moe';
        readonly router: MatrixBuffer;
        /** Where decode finds its experts; of a streamed layer the transit slab. */
        readonly slab: ExpertSlab;
        /** Where prefill finds those without a slot, through a table of its own; absent: every expert has a slot. */
        readonly transit?: ExpertSlab;
        readonly shared?: SharedExpertBuffers;
      };
  /** Keys and values, `[G, C]` rows of a head each (kvLayout). */
  readonly keys: BufferRange;
  readonly values: BufferRange;
}

export interface ModelBuffers {
  readonly embedding: MatrixBuffer;
  /** The embedding's shards when tied. */
  readonly head: MatrixBuffer;
  /** f32 [D] at offset 0, then the RoPE inverse frequencies f32 [dims/2] at `ropeOffset` elements. */
  readonly globals: BufferRange;
  readonly ropeOffset: number;
  readonly layers: readonly LayerBuffers[];
}
