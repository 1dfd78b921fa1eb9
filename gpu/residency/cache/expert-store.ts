/**
 * Where an expert's bytes come from when it has no slot: the RAM pool, else the file, whose bytes then stay in the pool. Bytes lie as in the file,
 * gate, up and down one after another, each from a multiple of 16 on.
 */
import type { ExpertSlice, MoeFfnTensors } from '../../architectures/types.ts';
import { alignUp } from '../../device/usage.ts';
import type { ByteSource } from '../../gguf/types.ts';
import { quantFormat } from '../../quant/formats.ts';
import type { ComputeType } from '../../quant/types.ts';
import { settle } from '../../settle.ts';
import type { SlowTier } from './expert-loader.ts';
import { PieceRing, type OnRunBytes } from './piece-ring.ts';
import { RamPool } from './ram-pool.ts';

export interface ExpertName {
  readonly layer: number;
  readonly expert: number;
  readonly ffn: MoeFfnTensors;
}

export interface ExpertRead extends ExpertName {
  /** One of nearly all experts that a prompt reads: no reason to keep it rather than what decode has read. */
  readonly isScan: boolean;
}

const PART_ALIGNMENT_BYTES = 16;

export interface StagedPart {
  readonly slice: ExpertSlice;
  /** From the first byte of gate. */
  readonly atBytes: number;
}

/** Gate, up, down as they lie one after another. */
export function stagedParts({ ffn, expert }: Pick<ExpertName, 'ffn' | 'expert'>): {
  readonly parts: readonly StagedPart[];
  readonly sizeBytes: number;
} {
  let sizeBytes = 0;
  const parts = [ffn.gate[expert], ffn.up[expert], ffn.down[expert]].map((slice) => {
    const atBytes = sizeBytes;
    sizeBytes = alignUp(sizeBytes + slice.sizeBytes, PART_ALIGNMENT_BYTES);
    return { slice, atBytes };
  });
  return { parts, sizeBytes };
}

/** `bytes` of part `i` of the expert have come, whole blocks from its byte `fromByte` on. */
export type OnBytes = (bytes: Uint8Array, i: number, fromByte: number) => void;

function partOf(expert: Uint8Array, { slice, atBytes }: StagedPart): Uint8Array {
  return expert.subarray(atBytes, atBytes + slice.sizeBytes);
}

export class ExpertStore {
  readonly #sources: readonly ByteSource[];
  readonly #pool: RamPool;
  bytesRead = 0;

  constructor(sources: readonly ByteSource[], ramPoolBytes: number) {
    this.#sources = sources;
    this.#pool = new RamPool(ramPoolBytes);
  }

  get poolBytes(): number {
    return this.#pool.bytes;
  }

  resizePool(bytes: number): void {
    this.#pool.resize(bytes);
  }

  /**
   * Tells `onBytes` of gate, up and down as they come: of what the pool holds, or of what was read into `target`, whose first bytes are then the
   * expert's, or into pieces. To be used at once. No promise: all has come. Rejects with `file.read`, when nothing is told any more; what is made of
   * them counts after `verify`.
   */
  read(wanted: ExpertRead, target: Uint8Array | PieceRing, onBytes: OnBytes, signal?: AbortSignal): SlowTier | Promise<SlowTier> {
    const { parts, sizeBytes } = stagedParts(wanted);
    const { layer, expert, isScan } = wanted;
    const key = `${layer}:${expert}`;
    const held = this.#pool.get(key, isScan);
    if (held) {
      parts.forEach((part, i) => onBytes(partOf(held, part), i, 0));
      return 'ram';
    }
    const lent = this.#pool.lend(key, sizeBytes);
    const reads = parts.flatMap(
      (part, i) => this.#readPart(lent ?? target, part, (bytes, from) => onBytes(bytes, i, from), signal) ?? [],
    );
    const isRead = (): SlowTier => {
      this.bytesRead += parts.reduce((sum, { slice }) => sum + slice.sizeBytes, 0);
      if (lent) this.#pool.put(key, lent);
      return 'disk';
    };
    const hasFailed = (error: unknown): never => {
      if (lent) this.#pool.giveBack(lent);
      throw error;
    };
    if (reads.length === 0) return isRead();
    return settle(reads).then(isRead, hasFailed); // nobody may take the memory away while one is in flight
  }

  /** null: it has come. */
  #readPart(into: Uint8Array | PieceRing, part: StagedPart, onBytes: OnRunBytes, signal: AbortSignal | undefined) {
    const { offsetBytes, sizeBytes: lengthBytes, tensor } = part.slice;
    const source = this.#sources[tensor.part];
    if (into instanceof PieceRing) {
      const { blockBytes } = quantFormat(tensor.type as ComputeType);
      return into.read({ source, offsetBytes, lengthBytes, unitBytes: blockBytes }, onBytes, signal);
    }
    const bytes = partOf(into, part);
    return source.readInto(offsetBytes, bytes, signal).then(() => onBytes(bytes, 0));
  }

  /** Rejects with `file.changed` where a part is not the file that was opened; what was read of it is then forgotten. */
  async verify(): Promise<void> {
    try {
      await Promise.all(this.#sources.map((source) => source.verify?.()));
    } catch (error) {
      this.#pool.clear();
      throw error;
    }
  }
}
