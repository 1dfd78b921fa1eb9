/**
 * Where an expert's bytes come from when it has no slot: the RAM pool, else the file, whose bytes then stay in the pool. Bytes lie as in the file,
 * gate, up and down one after another, each from a multiple of 16 on.
 */
import type { ExpertSlice, MoeFfnTensors } from '../../architectures/types.ts';
import { alignUp } from '../../device/usage.ts';
import type { ByteSource } from '../../gguf/types.ts';
import { settle } from '../../settle.ts';
import type { SlowTier } from './expert-loader.ts';
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

/** `bytes` are the expert's, from its first on; its part `i` has come. */
export type OnPart = (bytes: Uint8Array, i: number) => void;

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
   * Tells `onPart` of gate, up and down as they come: part `i` of an expert's bytes, which are those that the pool holds, or the first ones of
   * `target` (mapped staging, say), which the file was read into. To be used at once. Rejects with `file.read`, when nothing is told any more;
   * what is made of them counts after `verify`.
   */
  async read(wanted: ExpertRead, target: Uint8Array, onPart: OnPart, signal?: AbortSignal): Promise<SlowTier> {
    const { parts, sizeBytes } = stagedParts(wanted);
    const { layer, expert, isScan } = wanted;
    const key = `${layer}:${expert}`;
    const held = this.#pool.get(key, isScan);
    if (held) {
      parts.forEach((_, i) => onPart(held, i));
      return 'ram';
    }
    const lent = this.#pool.lend(key, sizeBytes);
    const into = lent ?? target;
    const reads = parts.map(async ({ slice, atBytes }, i) => {
      await this.#sources[slice.tensor.part].readInto(
        slice.offsetBytes,
        into.subarray(atBytes, atBytes + slice.sizeBytes),
        signal,
      );
      onPart(into, i);
    });
    try {
      await settle(reads); // nobody may take the memory away while one is in flight
    } catch (error) {
      if (lent) this.#pool.giveBack(lent);
      throw error;
    }
    this.bytesRead += parts.reduce((sum, { slice }) => sum + slice.sizeBytes, 0);
    if (lent) this.#pool.put(key, lent);
    return 'disk';
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
